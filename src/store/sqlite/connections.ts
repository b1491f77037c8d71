// Connections to the SQLite file: node:sqlite behind Kysely.
import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync, type StatementSync } from "node:sqlite";
import { Kysely, type SqliteDatabase, SqliteDialect } from "kysely";
import { remember } from "../../core/remember.ts";
import { asAppError } from "../failures.ts";
import type { Tables } from "../tables.ts";
import { sqliteFailures } from "./failures.ts";

const STATEMENTS_KEPT = 500;
const LONGEST_STATEMENT_KEPT = 20_000;

export interface SqliteConnection {
  readonly kysely: Kysely<Tables>;
  open(): void;
  close(): void;
}

/** A connection that is opened when it is told to, and closed for good. */
export function createConnection(
  path: string,
  { isReader }: { isReader: boolean },
): SqliteConnection {
  let file: DatabaseSync | undefined;

  const prepare = (text: string): StatementSync => {
    if (file === undefined) throw closed();
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

function closed(): unknown {
  const error = new Error("the connection is closed");
  return asAppError(error, { database: "SQLite", failures: sqliteFailures });
}
