// Inserts many rows with statements of few shapes: built value by value they cost more than the database's own work.
import { CompiledQuery } from "kysely";
import type { ColumnSource, Dialect, Session } from "./dialect.ts";

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
  const values = columns.map((name) => [name, "value"] as const);
  const all = clock === undefined ? values : [...values, [clock, "now"] as const];
  for (let at = 0; at < rows.length; ) {
    const some = rows.slice(at, at + dialect.rowsPerInsert(rows.length - at));
    const text = insertText(dialect, { table, columns: all, rows: some.length });
    await connection.executeQuery(rawInsert(text, some.flat()));
    at += some.length;
  }
}

export interface InsertShape {
  readonly table: string;
  readonly columns: readonly (readonly [name: string, source: ColumnSource])[];
  readonly rows: number;
}

/** The text of an INSERT. */
export function insertText(dialect: Dialect, { table, columns, rows }: InsertShape): string {
  const names = columns.map(([name]) => name).join(", ");
  const sources = columns.map(([, source]) => source);
  return `insert into ${table} (${names}) values ${dialect.rowPlaces(sources, rows)}`;
}

/** Kysely would freeze the values, and an engine reads a frozen array of a thousand slowly. */
export function rawInsert(text: string, parameters: readonly Value[]): CompiledQuery {
  return { ...CompiledQuery.raw(text), parameters };
}
