// AUTO_INCREMENT: what the next row of a table is to be counted as.
import { sql } from "kysely";
import type { Counters } from "../dialect.ts";

export const mysqlCounters: Counters = {
  // The text of the statement, because information_schema may be a day old on MySQL.
  next: async (connection, table) => {
    const shown = await sql<Record<string, string>>`show create table ${sql.table(table)}`.execute(
      connection,
    );
    const text = shown.rows[0]?.["Create Table"] ?? "";
    return BigInt(/\bAUTO_INCREMENT=(\d+)/.exec(text)?.[1] ?? "1");
  },
  setNext: async (connection, table, next) => {
    await sql`alter table ${sql.table(table)} auto_increment = ${sql.lit(next)}`.execute(
      connection,
    );
  },
  settingText: (table) => `ALTER TABLE ${table} AUTO_INCREMENT = …`,
};
