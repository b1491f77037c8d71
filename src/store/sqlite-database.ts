// The SQLite file: one connection that writes, one that reads, both on node:sqlite behind Kysely.
import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync, type StatementSync } from "node:sqlite";
import { Kysely, type SqliteDatabase, SqliteDialect, sql } from "kysely";
import { remember } from "../core/remember.ts";
import type { Database, Dialect } from "./dialect.ts";
import { exactly } from "./exact-numbers.ts";
import { asAppError } from "./failures.ts";
import { type Patience, whileBusy } from "./retry-busy.ts";
import type { Tables } from "./tables.ts";

// SQLite's own waiting would stop the whole thread (measured: for seconds), hence no busy timeout
// and short pauses in which the event loop goes on.
const LONGEST_PAUSE_MS = 3;
const BUSY_DEADLINE_MS = 5_000;
const MOST_ROWS_INSERTED = 128;
const STATEMENTS_KEPT = 500;
const LONGEST_STATEMENT_KEPT = 20_000;

const dialect: Dialect = {
  kind: "sqlite",
  lockReaches: "all",
  // Rounded: the product may lie just below the whole number of ms.
  nowMs: sql<number>`cast(round(unixepoch('subsec') * 1000) as integer)`,
  byId: sql`not indexed`,
  byIndex: (name) => sql`indexed by ${sql.ref(name)}`,
  // One text for every number of ids, so that its prepared statement is used again.
  idList: (ids) => sql`(select value from json_each(${JSON.stringify(ids)}))`,
  // Powers of two: any number of rows with few texts, whose prepared statements are used again.
  rowsPerInsert: (left) => Math.min(MOST_ROWS_INSERTED, 2 ** Math.floor(Math.log2(left))),
  forUpdate: sql``,
  skipLocked: sql``,
};

export interface SqliteOptions {
  readonly path: string;
  /** How long to try while another process writes, before it is `unavailable`; 5 s when not given. */
  readonly deadlineMs?: number;
}

/** Opens the file at the first use; `path` and its folder are created. */
export function createSqliteDatabase({ path, deadlineMs }: SqliteOptions): Database {
  const patience: Patience = {
    database: "the SQLite database",
    deadlineMs: deadlineMs ?? BUSY_DEADLINE_MS,
    longestPauseMs: LONGEST_PAUSE_MS,
  };
  const writing = createConnection(path, { isReader: false });
  const reading = createConnection(path, { isReader: true });
  // A reader of an empty file would find no WAL to read: the writer opens first.
  const ready = whenAsked(async () => {
    await whileBusy(patience, async () => writing.open());
    await whileBusy(patience, async () => reading.open());
  });
  const write: Database["write"] = async (work) => {
    await ready();
    return whileBusy(patience, () =>
      writing.kysely.transaction().execute((connection) => work({ connection, dialect })),
    );
  };
  return {
    dialect,
    read: async (work) => {
      await ready();
      return whileBusy(patience, () => work({ connection: reading.kysely, dialect }));
    },
    write,
    insert: ({ build, keys, table }) =>
      write(async ({ connection }) => {
        const { insertId } = await connection.executeQuery(build(connection).compile());
        // One writer at a time and AUTOINCREMENT: the ids of one statement have no gaps.
        const last = exactly(insertId, `the id of a new row of ${table}`);
        return keys.map((_, position) => last - keys.length + 1 + position);
      }),
    // The write lock excludes every other process by itself.
    exclusively: (work) => write(work),
    close: async () => {
      await Promise.all([writing.kysely.destroy(), reading.kysely.destroy()]);
      reading.close();
      writing.close();
    },
  };
}

/** Calls `work` once, at the first call; a failure is told to that caller and forgotten. */
function whenAsked(work: () => Promise<void>): () => Promise<void> {
  let under: Promise<void> | undefined;
  return () => {
    under ??= work().catch((thrown) => {
      under = undefined;
      throw thrown;
    });
    return under;
  };
}

interface SqliteConnection {
  readonly kysely: Kysely<Tables>;
  open(): void;
  close(): void;
}

function createConnection(path: string, { isReader }: { isReader: boolean }): SqliteConnection {
  let file: DatabaseSync | undefined;

  const prepare = (text: string): StatementSync => {
    if (file === undefined) throw asAppError(new Error("the connection is closed"), "SQLite");
    return file.prepare(text);
  };
  const prepared = remember(prepare, STATEMENTS_KEPT);
  const statementFor = (text: string) =>
    text.length > LONGEST_STATEMENT_KEPT ? prepare(text) : prepared(text);

  const shim: SqliteDatabase = {
    prepare: (text) => toKyselyStatement(statementFor(translate(text, file))),
    // Kysely closes only what it has opened, and it opens at its first query: we close ourselves.
    close: () => undefined,
  };
  return {
    kysely: new Kysely<Tables>({ dialect: new SqliteDialect({ database: shim }) }),
    open: () => {
      file ??= openFile(path, isReader);
    },
    close: () => {
      prepared.forgetAll();
      file?.close();
      file = undefined;
    },
  };
}

function translate(text: string, file: DatabaseSync | undefined): string {
  if (text === "begin") return "begin immediate";
  // After a full disk SQLite has rolled back by itself; a second time would hide that reason.
  if (text === "rollback" && file?.isTransaction === false) return "select 1";
  return text;
}

function openFile(path: string, isReader: boolean): DatabaseSync {
  try {
    mkdirSync(dirname(path), { recursive: true });
    const file = new DatabaseSync(path, { timeout: 0 });
    try {
      file.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL");
      if (isReader) file.exec("PRAGMA query_only = 1");
      return file;
    } catch (thrown) {
      file.close();
      throw thrown;
    }
  } catch (thrown) {
    throw withPath(thrown, path);
  }
}

/** Names the file, which SQLite's own messages do not. */
function withPath(thrown: unknown, path: string): unknown {
  if (thrown instanceof Error) thrown.message = `${path}: ${thrown.message}`;
  return thrown;
}

type BoundValues = Parameters<StatementSync["all"]>;

function toKyselyStatement(statement: StatementSync): ReturnType<SqliteDatabase["prepare"]> {
  return {
    reader: statement.columns().length > 0,
    all: (values) => statement.all(...(values as BoundValues)),
    run: (values) => statement.run(...(values as BoundValues)),
    iterate: () => {
      throw new Error("nothing is streamed from SQLite");
    },
  };
}
