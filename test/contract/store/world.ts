// The databases the store's suites run on, each opened empty, with a way to look behind the port.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { createConnection } from "mysql2/promise";
import type { Database } from "../../../src/store/dialect.ts";
import { createMysqlDatabase } from "../../../src/store/mysql/database.ts";
import { createMysqlStore } from "../../../src/store/mysql/store.ts";
import { createSqliteDatabase } from "../../../src/store/sqlite/database.ts";
import { createSqliteStore } from "../../../src/store/sqlite/store.ts";
import type { Store } from "../../../src/store/store.ts";
import { createRecordedLog } from "../../support/recorded-log.ts";
import type { MysqlService } from "../../support/services.ts";

export type Row = Readonly<Record<string, unknown>>;

export interface TestDatabase {
  /** What an adapter needs to reach it from another process. */
  readonly address: { readonly kind: "sqlite" | "mysql"; readonly url: string };
  /** A store of its own, as another process would have it. */
  readonly open: () => Store;
  /** What is under a store, for what only the steps of the store can do. The caller closes it. */
  readonly openDatabase: () => Database;
  /** Sends SQL past the store: to prepare a state, or to read what the port does not show. */
  readonly query: (sql: string) => Promise<readonly Row[]>;
  /** Closes all stores and deletes the database. */
  readonly drop: () => Promise<void>;
}

export type CreateTestDatabase = () => Promise<TestDatabase>;

export async function createSqliteTestDatabase(): Promise<TestDatabase> {
  const folder = await mkdtemp(join(tmpdir(), "serendipity-store-"));
  const path = join(folder, "data", "store.sqlite");
  const stores = collectStores(() => createSqliteStore({ path }));
  return {
    address: { kind: "sqlite", url: path },
    open: stores.open,
    openDatabase: () => createSqliteDatabase({ path }),
    query: async (sql) => queryFile(path, sql),
    drop: async () => {
      await stores.close();
      await rm(folder, { recursive: true });
    },
  };
}

function queryFile(path: string, sql: string): readonly Row[] {
  const file = new DatabaseSync(path, { timeout: 5_000 });
  try {
    return file.prepare(sql).all();
  } finally {
    file.close();
  }
}

export async function createMysqlTestDatabase(mysql: MysqlService): Promise<TestDatabase> {
  const { url, drop } = await mysql.freshDatabase();
  const options = { url, poolSize: 4, logger: createRecordedLog() };
  const stores = collectStores(() => createMysqlStore(options));
  return {
    address: { kind: "mysql", url },
    open: stores.open,
    openDatabase: () => createMysqlDatabase(options),
    query: async (sql) => {
      const connection = await createConnection({ uri: url });
      const [rows] = await connection.query(sql).finally(() => connection.destroy());
      return Array.isArray(rows) ? (rows as Row[]) : [];
    },
    drop: async () => {
      await stores.close();
      await drop();
    },
  };
}

function collectStores(create: () => Store) {
  const opened: Store[] = [];
  return {
    open: () => {
      const store = create();
      opened.push(store);
      return store;
    },
    close: () => Promise.all(opened.splice(0).map((store) => store.close())),
  };
}
