// The SQL of SQLite where it is its own.
import { sql } from "kysely";
import type { Dialect } from "../dialect.ts";
import { questionMarkRows } from "../question-marks.ts";
import { sqliteCounters } from "./counters.ts";
import { sqliteDdl } from "./ddl.ts";
import { sqliteFailures } from "./failures.ts";

const MOST_ROWS_INSERTED = 128;
// Rounded: the product may lie just below the whole number of ms.
const NOW_MS = "cast(round(unixepoch('subsec') * 1000) as integer)";

export const sqliteDialect: Dialect = {
  lockReaches: "all",
  nowMs: sql.raw<number>(NOW_MS),
  byId: sql`not indexed`,
  byIndex: (name) => sql`indexed by ${sql.ref(name)}`,
  // One text for every number of ids, so that its prepared statement is used again.
  idList: (ids) => sql`(select value from json_each(${JSON.stringify(ids)}))`,
  rowPlaces: questionMarkRows(NOW_MS),
  // Powers of two: any number of rows with few texts, whose prepared statements are used again.
  rowsPerInsert: (left) => Math.min(MOST_ROWS_INSERTED, 2 ** Math.floor(Math.log2(left))),
  forUpdate: sql``,
  skipLocked: sql``,
  replaceRows: async (connection, table, rows) => {
    await connection.replaceInto(table).values(rows).execute();
  },
  counters: sqliteCounters,
  ddl: sqliteDdl,
  failures: sqliteFailures,
};
