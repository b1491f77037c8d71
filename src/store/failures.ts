// Sorts what the drivers throw: busy, away, misconfigured, a duplicate key, or a statement that was refused.
import { AppError, messageOf } from "../core/errors.ts";

/**
 * `busy`: try the same again soon. `away`: the database cannot work now. `configuration`: the operator must act.
 * `duplicate`: a unique key exists. `statement`: this statement with these values was refused.
 */
export type FailureKind = "busy" | "away" | "configuration" | "duplicate" | "statement";

interface DriverError {
  readonly code?: unknown;
  readonly errno?: unknown;
  readonly errcode?: unknown;
  readonly sqlState?: unknown;
}

// The low byte of an SQLite result code.
const SQLITE_KINDS: Readonly<Record<number, FailureKind>> = {
  5: "busy", // BUSY
  6: "busy", // LOCKED
  8: "away", // READONLY
  10: "away", // IOERR
  11: "configuration", // CORRUPT
  13: "away", // FULL
  14: "away", // CANTOPEN
  26: "configuration", // NOTADB
};
const SQLITE_DUPLICATES: readonly unknown[] = [1555, 2067];

const MYSQL_NUMBERS: Readonly<
  Record<"busy" | "away" | "configuration" | "duplicate", readonly number[]>
> = {
  // A record changed since it was read, lock wait timeout, deadlock. Group Replication: rolled back for another
  // member's transaction. TiDB: write conflicts, a schema that changed meanwhile, a transaction older than its garbage.
  busy: [1020, 1205, 1213, 3101, 8002, 8005, 8022, 8027, 8028, 9006, 9007],
  // Disk or table full, out of memory or locks, storage engine trouble, too many connections or transactions, shutdown,
  // killed, statement interrupted or over its time, read-only, offline, closed for idleness; an error during commit.
  // Group Replication: its hook failed. TiDB: over its quota, result undetermined, a storage or placement server that
  // does not answer, is busy, or has lost a region.
  away: [
    1021, 1028, 1030, 1037, 1038, 1040, 1041, 1053, 1114, 1180, 1203, 1206, 1226, 1290, 1317, 1637,
    1792, 1836, 1927, 1969, 3024, 3032, 3100, 3168, 4031, 8252, 8501, 9001, 9002, 9003, 9004, 9005,
    9010, 9011,
  ],
  // No right to the database, access denied, unknown database, host not allowed, no right to the statement,
  // no such table, access denied.
  configuration: [1044, 1045, 1049, 1130, 1142, 1146, 1698],
  duplicate: [1062, 1586],
};
/** TiDB has no number of its own for some of what it asks callers to send again. */
const TIDB_BUSY = /pessimistic lock retry limit reached|\[try again later\]/;
/** One packet too large: the server hangs up, but it is about the rows. */
const PACKET_TOO_LARGE = 1153;

/** What node:sqlite throws in place of a whole number that would be rounded. */
const NUMBER_TOO_LARGE = "ERR_OUT_OF_RANGE";

/** What kind of failure was thrown by a driver. */
export function failureKind(thrown: unknown): FailureKind {
  if (thrown instanceof AppError) return thrown.code === "configuration" ? "configuration" : "away";
  const error = thrown as DriverError;
  if (error.code === NUMBER_TOO_LARGE) return "configuration";
  if (typeof error.errcode === "number") return sqliteKind(error.errcode, messageOf(thrown));
  if (typeof error.sqlState === "string") return mysqlKind(error, messageOf(thrown));
  // Without an SQL state it never was an answer of the server: a socket, a closed pool, a handshake.
  return isConnectionFailure(thrown) ? "away" : "statement";
}

function mysqlKind(error: DriverError, message: string): FailureKind {
  const [errno, sqlState] = [Number(error.errno), String(error.sqlState)];
  for (const kind of ["busy", "away", "configuration", "duplicate"] as const) {
    if (MYSQL_NUMBERS[kind].includes(errno)) return kind;
  }
  if (TIDB_BUSY.test(message)) return "busy";
  // Class 08: the connection.
  return sqlState.startsWith("08") && errno !== PACKET_TOO_LARGE ? "away" : "statement";
}

/** True when other rows in the same statement could have been written. */
export function isAboutRows(thrown: unknown): boolean {
  const kind = failureKind(thrown);
  return kind === "statement" || kind === "duplicate";
}

/** True when a CREATE TABLE met a table of that name. */
export function isExistingTable(thrown: unknown): boolean {
  return (thrown as DriverError).errno === 1050;
}

/** The connection was closed or killed, the server shut down, an error during commit, TiDB: result undetermined. */
const UNKNOWN_OUTCOMES: readonly unknown[] = [
  "PROTOCOL_CONNECTION_LOST",
  "ECONNRESET",
  "EPIPE",
  1927,
  1053,
  1180,
  8501,
];

/** True when what was sent may have been committed although no answer said so. */
export function isOutcomeUnknown(thrown: unknown): boolean {
  const cause = thrown instanceof AppError ? thrown.cause : thrown;
  const { code, errno } = (cause ?? {}) as DriverError;
  return UNKNOWN_OUTCOMES.includes(code) || UNKNOWN_OUTCOMES.includes(errno);
}

/** True when the statement named a table that does not exist. */
export function isMissingTable(thrown: unknown): boolean {
  return (thrown as DriverError).errno === 1146 || /^no such table/.test(messageOf(thrown));
}

function sqliteKind(errcode: number, message: string): FailureKind {
  if (SQLITE_DUPLICATES.includes(errcode)) return "duplicate";
  if (message.startsWith("no such table")) return "configuration";
  return SQLITE_KINDS[errcode & 0xff] ?? "statement";
}

// mysql2's own codes, those of sockets, and node:sqlite's "database is not open".
const CONNECTION_CODES = /^(PROTOCOL|HANDSHAKE|POOL)_|^E(?!RR_)[A-Z_]+$|^ERR_INVALID_STATE$/;

function isConnectionFailure(thrown: unknown): boolean {
  const { code } = thrown as DriverError;
  if (typeof code === "string") return CONNECTION_CODES.test(code);
  return /clos(ed|ing)|connection|not open|destroyed/i.test(messageOf(thrown));
}

const BUSY = "the database is busy; try again shortly";
const AWAY = "the database cannot be reached; try again shortly";

/** The failure as callers may see it; what a statement was refused for is passed on unchanged. */
export function asAppError(thrown: unknown, database: string): unknown {
  if (thrown instanceof AppError) return thrown;
  const kind = failureKind(thrown);
  const why = messageOf(thrown) || String((thrown as DriverError).code);
  if (kind === "busy") {
    return unavailable(`${database} stayed busy: ${why}`, { cause: thrown, forCallers: BUSY });
  }
  if (kind === "away") {
    return unavailable(`${database} cannot answer: ${why}`, { cause: thrown, forCallers: AWAY });
  }
  if (kind === "configuration") {
    const hint = isMissingTable(thrown) ? "; run `migrate`" : "";
    return new AppError("configuration", `${database} cannot be used: ${why}${hint}`, {
      cause: thrown,
    });
  }
  return thrown;
}

function unavailable(message: string, more: { cause: unknown; forCallers: string }): AppError {
  return new AppError("unavailable", message, { retryAfterS: 1, ...more });
}
