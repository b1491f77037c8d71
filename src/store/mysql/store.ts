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
    const weak = server?.weakSettings ?? [];
    if (weak.length > 0) options.logger.warn({ settings: weak.join(", ") }, WEAK);
  };
  return { ...store, migrate: warning(store.migrate), checkSchema: warning(store.checkSchema) };
}

const NO_CHECKS =
  "this server does not check constraints, so a row that another program spoils is not refused; SET GLOBAL tidb_enable_check_constraint = ON before the first start";
const WEAK =
  "a task that was accepted may be lost when the database's machine crashes: this server answers commits before they are on disk; set innodb_flush_log_at_trx_commit=1, and with a binary log sync_binlog=1";
