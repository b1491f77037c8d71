// The store on MySQL or MariaDB, for any number of processes on any number of machines.
import { composeStore } from "../compose-store.ts";
import type { Store } from "../store.ts";
import { createMysqlDatabase, type MysqlOptions } from "./database.ts";

/** Connects at the first use. */
export function createMysqlStore(options: MysqlOptions): Store {
  const database = createMysqlDatabase(options);
  const store = composeStore(database);
  const warning = (start: () => Promise<void>) => async () => {
    await start();
    const server = database.server();
    if (server?.checks === false) options.logger.warn({ server: server.version }, NO_CHECKS);
  };
  return { ...store, migrate: warning(store.migrate), checkSchema: warning(store.checkSchema) };
}

const NO_CHECKS =
  "this server does not check constraints, so a row that another program spoils is not refused; SET GLOBAL tidb_enable_check_constraint = ON before the first start";
