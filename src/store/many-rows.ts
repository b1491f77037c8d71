// Inserts many rows with statements of few shapes: built value by value they cost more than the database's own work.
import { CompiledQuery } from "kysely";
import type { Session } from "./dialect.ts";

export type Value = string | number | Uint8Array | null;

export interface ManyRows {
  readonly table: "attempts" | "attempt_ends" | "executor_jobs";
  /** Names of columns, ours and never a user's. */
  readonly columns: readonly string[];
  /** The column that gets the database's clock, where there is one. */
  readonly clock?: string;
  /** Values in the order of `columns`. */
  readonly rows: readonly (readonly Value[])[];
}

/** All or, when the database refuses one of them, none: inside a transaction only. */
export async function insertMany(
  { connection, dialect }: Session,
  { table, columns, clock, rows }: ManyRows,
): Promise<void> {
  const now = dialect.nowMs.compile(connection).sql;
  const all = clock === undefined ? columns : [...columns, clock];
  const row = `(${all.map((column) => (column === clock ? now : "?")).join(", ")})`;
  for (let at = 0; at < rows.length; ) {
    const some = rows.slice(at, at + dialect.rowsPerInsert(rows.length - at));
    const places = Array.from(some, () => row).join(", ");
    const text = `insert into ${table} (${all.join(", ")}) values ${places}`;
    // Kysely would freeze the values, and an engine reads a frozen array of a thousand slowly.
    await connection.executeQuery({ ...CompiledQuery.raw(text), parameters: some.flat() });
    at += some.length;
  }
}
