// The SQL of MySQL, MariaDB and TiDB where it is their own.
import { sql } from "kysely";
import type { Dialect } from "../dialect.ts";
import { questionMarkRows } from "../question-marks.ts";
import { mysqlCounters } from "./counters.ts";
import { mysqlDdl } from "./ddl.ts";
import { mysqlFailures } from "./failures.ts";
import type { MysqlServer } from "./server.ts";

const NOW_MS = "cast(unix_timestamp(now(3)) * 1000 as signed)";

export const mysqlDialect: Dialect = {
  lockReaches: "all",
  nowMs: sql.raw<number>(NOW_MS),
  byId: sql`force index (primary)`,
  byIndex: (name) => sql`force index (${sql.ref(name)})`,
  idList: (ids) => sql.raw(`(${ids.map(Number).join(", ")})`),
  rowPlaces: questionMarkRows(NOW_MS),
  rowsPerInsert: (left) => left,
  forUpdate: sql`for update`,
  skipLocked: sql`for update skip locked`,
  replaceRows: async (connection, table, rows) => {
    await connection.replaceInto(table).values(rows).execute();
  },
  counters: mysqlCounters,
  ddl: mysqlDdl,
  failures: mysqlFailures,
};

/** As this server speaks it; undefined: it was never reached. */
export function dialectOn(server: MysqlServer | undefined): Dialect {
  if (server === undefined) return mysqlDialect;
  return {
    ...mysqlDialect,
    lockReaches: server.isOneOfMany ? "node" : "all",
    // Where SKIP LOCKED locks nothing, rivals wait for each other instead of passing by.
    skipLocked: server.skipsLocked ? mysqlDialect.skipLocked : mysqlDialect.forUpdate,
  };
}
