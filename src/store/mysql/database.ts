// MySQL or MariaDB behind Kysely, with mysql2.
import { Kysely, MysqlDialect, sql } from "kysely";
import { AppError } from "../../core/errors.ts";
import type { Logger } from "../../core/logger.ts";
import type { Database, DatabaseConnection, Session } from "../dialect.ts";
import { type Patience, whileBusy } from "../retry-busy.ts";
import type { Tables } from "../tables.ts";
import { createReadyPool, isNotThePrimary, type MysqlPoolOptions } from "./connections.ts";
import { dialectOn, mysqlDialect } from "./dialect.ts";
import { mysqlFailures } from "./failures.ts";
import { insertRows } from "./insert.ts";
import type { MysqlServer } from "./server.ts";

// Deadlocks and lock waits; the server itself has waited 2 s in the latter case.
const longestPatience: Patience = {
  database: "the MySQL database",
  failures: mysqlFailures,
  deadlineMs: 5_000,
  longestPauseMs: 20,
};
const STATEMENT_TIMEOUT_MS = 10_000;
const MIGRATION_LOCK_WAIT_S = 60;

export interface MysqlOptions {
  readonly url: string;
  /** Connections at most; they are opened when they are needed. */
  readonly poolSize: number;
  /** How long one use may take in all, before it is `unavailable`; when not given, 10 s for each of its statements. */
  readonly deadlineMs?: number;
  readonly logger: Logger;
}

export interface MysqlDatabase extends Database {
  /** The server it was connected to last; undefined before its first use. */
  server(): MysqlServer | undefined;
}

export function createMysqlDatabase(options: MysqlOptions): MysqlDatabase {
  const { deadlineMs = STATEMENT_TIMEOUT_MS } = options;
  const limits = { statementTimeoutMs: deadlineMs, useTimeoutMs: options.deadlineMs };
  const pool = createReadyPool({ ...options, ...limits });
  const kysely = new Kysely<Tables>({ dialect: new MysqlDialect({ pool: pool.forKysely }) });
  const patience = {
    ...longestPatience,
    deadlineMs: Math.min(longestPatience.deadlineMs, deadlineMs),
  };
  return {
    dialect: mysqlDialect,
    server: pool.server,
    read: (work) => whileBusy(patience, () => work({ connection: kysely, dialect: mysqlDialect })),
    write: (work) =>
      writing(patience, () =>
        kysely
          .transaction()
          .execute((connection) => work({ connection, dialect: dialectOn(pool.server()) })),
      ),
    insert: (insertion) =>
      writing(patience, () => {
        const { sql: text, parameters: values } = insertion.build(kysely).compile();
        return pool.use((connection) => insertRows(connection, { sql: text, values }, insertion));
      }),
    exclusively: (work) =>
      whileBusy(longestPatience, () => exclusively({ ...options, statementTimeoutMs: 0 }, work)),
    close: async () => {
      await kysely.destroy();
      await pool.close();
    },
  };
}

/** What a server refused that is not the primary any more is tried once on a new connection: it may lead to another. */
function writing<T>(patience: Patience, work: () => Promise<T>): Promise<T> {
  return whileBusy(patience, async () => {
    try {
      return await work();
    } catch (thrown) {
      if (!isNotThePrimary(thrown)) throw thrown;
      return work();
    }
  });
}

/** On a connection of its own, where a statement may take as long as changing a large table does. */
async function exclusively<T>(
  options: MysqlPoolOptions,
  work: (session: Session) => Promise<T>,
): Promise<T> {
  const pool = createReadyPool({ ...options, poolSize: 1 });
  const kysely = new Kysely<Tables>({ dialect: new MysqlDialect({ pool: pool.forKysely }) });
  try {
    return await kysely.connection().execute(async (connection) => {
      await takeLock(connection);
      return work({ connection, dialect: dialectOn(pool.server()) });
    });
  } finally {
    // The server gives the lock back with the connection, also when this process dies.
    await kysely.destroy();
    await pool.close();
  }
}

async function takeLock(connection: DatabaseConnection): Promise<void> {
  // A lock's name is known to the whole server and at most 64 characters long.
  const { rows } = await sql<{ taken: number | null }>`
    select get_lock(concat('serendipity-job ', sha1(database())), ${MIGRATION_LOCK_WAIT_S}) as taken`.execute(
    connection,
  );
  if (rows[0]?.taken === 1) return;
  throw new AppError(
    "unavailable",
    `another process has been migrating this database for ${MIGRATION_LOCK_WAIT_S} s`,
  );
}
