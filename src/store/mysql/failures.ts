// What mysql2 and the servers that speak its protocol throw: again soon, later, or never.
import { messageOf } from "../../core/errors.ts";
import { type FailureJudge, isConnectionFailure } from "../failures.ts";

interface MysqlError {
  readonly code?: unknown;
  readonly errno?: unknown;
  readonly sqlState?: unknown;
}

const NUMBERS: Readonly<
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

const NO_SUCH_TABLE = 1146;
const TABLE_EXISTS = 1050;
const DRIVER_CODE = /^(PROTOCOL|HANDSHAKE|POOL)_/;

export const mysqlFailures: FailureJudge = {
  kindOf: (thrown) => {
    const error = thrown as MysqlError;
    if (typeof error.sqlState === "string") return kindOfAnswer(error, messageOf(thrown));
    // Without an SQL state it never was an answer of the server: a socket, a closed pool, a handshake.
    return isConnectionFailure(thrown, DRIVER_CODE) ? "away" : "statement";
  },
  isOutcomeUnknown: (thrown) => {
    const { code, errno } = (thrown ?? {}) as MysqlError;
    return UNKNOWN_OUTCOMES.includes(code) || UNKNOWN_OUTCOMES.includes(errno);
  },
  isMissingTable: (thrown) => (thrown as MysqlError).errno === NO_SUCH_TABLE,
  isExistingTable: (thrown) => (thrown as MysqlError).errno === TABLE_EXISTS,
};

function kindOfAnswer(error: MysqlError, message: string) {
  const [errno, sqlState] = [Number(error.errno), String(error.sqlState)];
  for (const kind of ["busy", "away", "configuration", "duplicate"] as const) {
    if (NUMBERS[kind].includes(errno)) return kind;
  }
  if (TIDB_BUSY.test(message)) return "busy";
  // Class 08: the connection.
  return sqlState.startsWith("08") && errno !== PACKET_TOO_LARGE ? "away" : "statement";
}
