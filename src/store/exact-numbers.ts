// Ids are numbers, which are exact up to 2^53: beyond, an error is told instead of the id of another row.
import { sql } from "kysely";
import { AppError } from "../core/errors.ts";
import type { Session } from "./dialect.ts";

const LARGEST = BigInt(Number.MAX_SAFE_INTEGER);
export const COUNTING_TABLES = ["applications", "tasks", "attempts"] as const;

/** The number, if it is exact. */
export function exactly(value: unknown, what: string): number {
  if (typeof value === "number" && Number.isSafeInteger(value)) return value;
  if (typeof value === "bigint" && value >= -LARGEST && value <= LARGEST) return Number(value);
  throw inexact(what, String(value));
}

export function inexact(what: string, value: string): AppError {
  return new AppError(
    "configuration",
    `${what} is ${value}: numbers above ${LARGEST} cannot be told apart exactly, so nothing is done with it`,
  );
}

/** Throws `configuration` when the next id of a table would not be exact. */
export async function refuseLargeIds(session: Session): Promise<void> {
  for (const table of COUNTING_TABLES) {
    const next = await nextId(session, table);
    if (next > LARGEST) throw noRoom(session, table, next);
  }
}

function noRoom({ dialect }: Session, table: string, next: bigint): AppError {
  const lower = {
    mysql: `ALTER TABLE ${table} AUTO_INCREMENT = …`,
    sqlite: `UPDATE sqlite_sequence SET seq = … WHERE name = '${table}'`,
  };
  return new AppError(
    "configuration",
    `the next id of the table ${table} is ${next}, and ids above ${LARGEST} cannot be told apart exactly: ` +
      "delete its rows with larger ids, if there are any, then let it count on above its largest remaining id " +
      `with \`${lower[dialect.kind]}\``,
  );
}

const nextIdOf = {
  // The text of the statement, because information_schema may be a day old on MySQL.
  mysql: async ({ connection }: Session, table: string): Promise<string> => {
    const shown = await sql<Record<string, string>>`show create table ${sql.table(table)}`.execute(
      connection,
    );
    const text = shown.rows[0]?.["Create Table"] ?? "";
    return /\bAUTO_INCREMENT=(\d+)/.exec(text)?.[1] ?? "1";
  },
  sqlite: async ({ connection }: Session, table: string): Promise<string> => {
    const { rows } = await sql<{ seq: string }>`
      select cast(seq as text) as seq from sqlite_sequence where name = ${table}`.execute(
      connection,
    );
    return String(BigInt(rows[0]?.seq ?? "0") + 1n);
  },
};

/** What the next row of the table is to be counted as. */
export async function nextId(session: Session, table: string): Promise<bigint> {
  return BigInt(await nextIdOf[session.dialect.kind](session, table));
}
