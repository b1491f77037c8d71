// AUTOINCREMENT: what the next row of a table is to be counted as.
import { sql } from "kysely";
import type { Counters } from "../dialect.ts";

export const sqliteCounters: Counters = {
  next: async (connection, table) => {
    const { rows } = await sql<{ seq: string }>`
      select cast(seq as text) as seq from sqlite_sequence where name = ${table}`.execute(
      connection,
    );
    return BigInt(rows[0]?.seq ?? "0") + 1n;
  },
  // It has no key, and a table that has had no row yet is not in it. A bound number would become a REAL there.
  setNext: async (connection, table, next) => {
    await sql`delete from sqlite_sequence where name = ${table}`.execute(connection);
    await sql`insert into sqlite_sequence (name, seq) values (${table}, ${sql.lit(next - 1)})`.execute(
      connection,
    );
  },
  settingText: (table) => `UPDATE sqlite_sequence SET seq = … WHERE name = '${table}'`,
};
