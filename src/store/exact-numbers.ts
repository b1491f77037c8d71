// Ids are numbers, which are exact up to 2^53: beyond, an error is told instead of the id of another row.
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
export async function refuseLargeIds({ connection, dialect }: Session): Promise<void> {
  for (const table of COUNTING_TABLES) {
    const next = await dialect.counters.next(connection, table);
    if (next > LARGEST) throw noRoom(table, next, dialect.counters.settingText(table));
  }
}

function noRoom(table: string, next: bigint, setting: string): AppError {
  return new AppError(
    "configuration",
    `the next id of the table ${table} is ${next}, and ids above ${LARGEST} cannot be told apart exactly: ` +
      "delete its rows with larger ids, if there are any, then let it count on above its largest remaining id " +
      `with \`${setting}\``,
  );
}
