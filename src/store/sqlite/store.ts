// The store on a SQLite file: everything in one process tree, without a server.
import { composeStore } from "../compose-store.ts";
import type { Store } from "../store.ts";
import { createSqliteDatabase, type SqliteOptions } from "./database.ts";

/** The file and its folder are created at the first use; several threads and processes may open it. */
export function createSqliteStore(options: SqliteOptions): Store {
  return composeStore(createSqliteDatabase(options));
}
