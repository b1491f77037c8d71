// What node:sqlite throws, by SQLite's result codes.
import { messageOf } from "../../core/errors.ts";
import { type FailureJudge, type FailureKind, isConnectionFailure } from "../failures.ts";

interface SqliteError {
  readonly code?: unknown;
  readonly errcode?: unknown;
}

// The low byte of an SQLite result code.
const KINDS: Readonly<Record<number, FailureKind>> = {
  5: "busy", // BUSY
  6: "busy", // LOCKED
  8: "away", // READONLY
  10: "away", // IOERR
  11: "configuration", // CORRUPT
  13: "away", // FULL
  14: "away", // CANTOPEN
  26: "configuration", // NOTADB
};
const DUPLICATES: readonly unknown[] = [1555, 2067];
/** What node:sqlite throws in place of a whole number that would be rounded. */
const NUMBER_TOO_LARGE = "ERR_OUT_OF_RANGE";
/** "database is not open". */
const NOT_OPEN = /^ERR_INVALID_STATE$/;

export const sqliteFailures: FailureJudge = {
  kindOf: (thrown) => {
    const { code, errcode } = thrown as SqliteError;
    if (code === NUMBER_TOO_LARGE) return "configuration";
    if (typeof errcode === "number") return kindOfResult(errcode, messageOf(thrown));
    return isConnectionFailure(thrown, NOT_OPEN) ? "away" : "statement";
  },
  // A commit is a call into this process: it returns, or it throws what went wrong.
  isOutcomeUnknown: () => false,
  isMissingTable: (thrown) => messageOf(thrown).startsWith("no such table"),
  isExistingTable: (thrown) => / already exists$/.test(messageOf(thrown)),
};

function kindOfResult(errcode: number, message: string): FailureKind {
  if (DUPLICATES.includes(errcode)) return "duplicate";
  if (message.startsWith("no such table")) return "configuration";
  return KINDS[errcode & 0xff] ?? "statement";
}
