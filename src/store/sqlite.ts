// The store on a SQLite file: everything in one process tree, without a server.
import { composeStore } from "./compose-store.ts";
import { createSqliteDatabase } from "./sqlite-database.ts";
import type { Store } from "./store.ts";

/** The file and its folder are created at the first use; several threads and processes may open it. */
export function createSqliteStore({ path }: { readonly path: string }): Store {
  return composeStore(createSqliteDatabase(path));
}
