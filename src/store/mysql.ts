// The store on MySQL or MariaDB, for any number of processes on any number of machines.
import { composeStore } from "./compose-store.ts";
import { createMysqlDatabase, type MysqlOptions } from "./mysql-database.ts";
import type { Store } from "./store.ts";

/** Connects at the first use. */
export function createMysqlStore(options: MysqlOptions): Store {
  return composeStore(createMysqlDatabase(options));
}
