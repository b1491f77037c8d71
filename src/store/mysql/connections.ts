// Connections to MySQL or MariaDB: bounded waits, and the session set up before the first use of each.
import type { MysqlPool, MysqlPoolConnection } from "kysely";
import {
  createPool,
  type FieldPacket,
  type Pool,
  type PoolConnection,
  type QueryError,
  type QueryOptions,
  type RowDataPacket,
  Types,
} from "mysql2";
import { AppError, messageOf } from "../../core/errors.ts";
import type { Logger } from "../../core/logger.ts";
import { inexact } from "../exact-numbers.ts";
import { orUnavailable } from "../retry-busy.ts";
import { mysqlFailures } from "./failures.ts";
import type { RawConnection } from "./insert.ts";
import { type MysqlServer, SERVER_QUESTION, toMysqlServer } from "./server.ts";

const CONNECT_TIMEOUT_MS = 2_000;
/** How long a statement waits for a free connection. */
const ACQUIRE_TIMEOUT_MS = 5_000;
const CLOSE_TIMEOUT_MS = 2_000;

export interface MysqlPoolOptions {
  readonly url: string;
  readonly poolSize: number;
  /** A statement that takes longer loses its connection; 0: no limit. */
  readonly statementTimeoutMs: number;
  /** How long one use may take in all: the wait for a connection and all its statements. Absent: no limit. */
  readonly useTimeoutMs?: number | undefined;
  readonly logger: Logger;
}

/** What Kysely asks of a pool, and a way round Kysely for what it does not pass on. */
export interface ReadyPool {
  readonly forKysely: MysqlPool;
  /** The server that the newest connection leads to; undefined before the first one. */
  server(): MysqlServer | undefined;
  /** Lends a connection. */
  use<T>(work: (connection: RawConnection) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

/**
 * Read-only server, read-only transactions, read-only mode, a Galera node apart from its cluster: a proxy or a name may
 * lead to another server by now, but a connection that is open stays with this one.
 */
const NOT_THE_PRIMARY: readonly unknown[] = [1290, 1792, 1836, 1047];

/** True when the server refused because it takes no writes: nothing was done, and another one may take them. */
export function isNotThePrimary(thrown: unknown): boolean {
  return NOT_THE_PRIMARY.includes((thrown as { readonly errno?: unknown }).errno);
}

interface PreparedPoolOptions extends MysqlPoolOptions {
  /** What is left for the next statement; 0: no limit. */
  readonly timeLeftMs: (raw: PoolConnection) => number;
  readonly onNotThePrimary: (raw: PoolConnection) => void;
}

interface ReadyConnection extends RawConnection {
  /** Those of an age before the pool's are closed at their next use. */
  readonly age: number;
  /** Always the same object for a connection: Kysely knows it again by that. */
  readonly forKysely: MysqlPoolConnection;
}

// Pools open in REPEATABLE READ and with the server's sql_mode, which may truncate instead of refusing.
function sessionStatements({ statementTimeoutMs }: MysqlPoolOptions): readonly string[] {
  const lockWaitS = Math.ceil(statementTimeoutMs / 1_000);
  return [
    "SET NAMES utf8mb4 COLLATE utf8mb4_bin",
    "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED",
    `SET SESSION autocommit = 1, time_zone = '+00:00', innodb_lock_wait_timeout = 2,
       sql_mode = 'STRICT_ALL_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION'`,
    // A statement that waits for a locked table is given up by the server too: its default is a day.
    ...(lockWaitS === 0 ? [] : [`SET SESSION lock_wait_timeout = ${lockWaitS}`]),
  ];
}

export function createReadyPool(given: MysqlPoolOptions): ReadyPool {
  const pool = openPool(given);
  const ready = new WeakMap<PoolConnection, ReadyConnection>();
  const useUntil = new WeakMap<PoolConnection, number>();
  const { statementTimeoutMs, useTimeoutMs = Number.POSITIVE_INFINITY } = given;
  let server: MysqlServer | undefined;
  let age = 0;
  const options: PreparedPoolOptions = {
    ...given,
    // The others lead to the same server: reads there would stay behind.
    onNotThePrimary: (raw) => {
      if (ready.get(raw)?.age === age) age += 1;
    },
    timeLeftMs: (raw) => {
      if (statementTimeoutMs === 0) return 0;
      const leftMs = (useUntil.get(raw) ?? Number.POSITIVE_INFINITY) - performance.now();
      return Math.max(1, Math.ceil(Math.min(statementTimeoutMs, leftMs)));
    },
  };

  const acquire = async () => {
    const until = performance.now() + useTimeoutMs;
    for (;;) {
      const ageBefore = age;
      const raw = await acquireRaw(pool, Math.min(useTimeoutMs, ACQUIRE_TIMEOUT_MS));
      useUntil.set(raw, until);
      const prepare = async () => ({ ...(await prepareSession(raw, options)), age: ageBefore });
      const connection = ready.get(raw) ?? (await prepare());
      ready.set(raw, connection);
      server = connection.server;
      if (connection.age === age) return { raw, connection };
      raw.destroy();
    }
  };

  return {
    forKysely: {
      getConnection: (callback) => {
        acquire().then(
          ({ connection }) => callback(null, connection.forKysely),
          // Kysely does not look at the connection when there is an error.
          (thrown) => (callback as (error: unknown) => void)(thrown),
        );
      },
      // Kysely ends only a pool it has used; `close` ends it in any case.
      end: (callback) => callback(null),
    },
    server: () => server,
    use: async (work) => {
      const { raw, connection } = await acquire();
      try {
        return await work(connection);
      } finally {
        raw.release();
      }
    },
    close: () => endPool(pool),
  };
}

function openPool({ url, poolSize, logger }: MysqlPoolOptions): Pool {
  const pool = createPool({
    uri: url,
    connectionLimit: poolSize,
    connectTimeout: CONNECT_TIMEOUT_MS,
    charset: "utf8mb4_bin",
    enableKeepAlive: true,
    // What is not exact as a number comes as text, and is refused then.
    supportBigNumbers: true,
  });
  pool.on("connection", (connection) => {
    // The pool replaces a broken connection by itself; without a listener the event would end the process.
    connection.on("error", (error) => {
      logger.warn({ error: messageOf(error) }, "a connection to the database broke");
    });
  });
  return pool;
}

function acquireRaw(pool: Pool, timeoutMs: number): Promise<PoolConnection> {
  return new Promise((resolve, reject) => {
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      reject(noConnection(timeoutMs));
    }, timeoutMs);
    pool.getConnection((error, connection) => {
      clearTimeout(timer);
      if (error !== null) return reject(error);
      if (isLate) return connection.release();
      resolve(connection);
    });
  });
}

function noConnection(timeoutMs: number): AppError {
  const message = `no connection to the database came free in ${timeoutMs} ms`;
  return new AppError("unavailable", message, { retryAfterS: 1 });
}

async function prepareSession(
  raw: PoolConnection,
  options: PreparedPoolOptions,
): Promise<Omit<ReadyConnection, "age">> {
  try {
    for (const sql of sessionStatements(options)) await send(raw, { sql, values: [], ...options });
    const question = { sql: SERVER_QUESTION, values: [], ...options };
    const rows = await send<RowDataPacket[]>(raw, question);
    const variables = new Map(
      rows.map((row) => [String(row["Variable_name"]), String(row["Value"])]),
    );
    return {
      server: toMysqlServer(variables),
      step: Number(variables.get("auto_increment_increment") ?? 1),
      send: (sql, values) => send(raw, { sql, values, ...options, rowsAsArray: true }),
      forKysely: toKyselyConnection(raw, options),
    };
  } catch (thrown) {
    // Half prepared it must never be used.
    raw.destroy();
    throw thrown;
  }
}

function toKyselyConnection(
  raw: PoolConnection,
  options: PreparedPoolOptions,
): MysqlPoolConnection {
  let isDropped = false;
  const query = (
    sql: string,
    values: unknown,
    callback: (error: unknown, result: unknown) => void,
  ) =>
    raw.query(queryOptions(raw, { sql, values, ...options }), (error, result, fields) => {
      // The server rolls back with the connection; an error of this one would hide why.
      if (isDropped && sql === "rollback") return callback(null, undefined);
      if (afterQuery(raw, error, options) === "dropped") isDropped = true;
      callback(error ?? inexactIn(result, fields) ?? null, result);
    });
  return {
    config: {},
    threadId: raw.threadId,
    connect: () => undefined,
    destroy: () => raw.destroy(),
    release: () => raw.release(),
    query,
  };
}

type QueryParts = PreparedPoolOptions & {
  readonly sql: string;
  readonly values: unknown;
  readonly rowsAsArray?: boolean;
};

function send<Result>(raw: PoolConnection, parts: QueryParts): Promise<Result> {
  return new Promise((resolve, reject) => {
    raw.query(queryOptions(raw, parts), (error, result) => {
      afterQuery(raw, error, parts);
      if (error !== null) return reject(error);
      resolve(result as Result);
    });
  });
}

/** Text in a column of whole numbers is one that a number cannot hold: it must not pass as an id. */
function inexactIn(result: unknown, fields: readonly FieldPacket[] = []): AppError | undefined {
  const rows = Array.isArray(result) ? (result as RowDataPacket[]) : [];
  for (const { name, columnType } of rows.length === 0 ? [] : fields) {
    if (columnType !== Types.LONGLONG) continue;
    const row = rows.find((each) => typeof each[name] === "string");
    if (row !== undefined) return inexact(`a number in the column ${name}`, String(row[name]));
  }
  return undefined;
}

function queryOptions(raw: PoolConnection, parts: QueryParts): QueryOptions {
  const { sql, rowsAsArray = false, timeLeftMs } = parts;
  const values = parts.values as NonNullable<QueryOptions["values"]>;
  const timeout = timeLeftMs(raw);
  return { sql, values, rowsAsArray, ...(timeout === 0 ? {} : { timeout }) };
}

function afterQuery(
  raw: PoolConnection,
  error: QueryError | null,
  { onNotThePrimary }: PreparedPoolOptions,
): "kept" | "dropped" {
  if (error === null) return "kept";
  // The text of the statement holds the contents of tasks, which must not reach a log.
  delete (error as { sql?: string }).sql;
  const isElsewhere = isNotThePrimary(error);
  if (isElsewhere) onNotThePrimary(raw);
  if (!isElsewhere && mysqlFailures.kindOf(error) !== "away") return "kept";
  // After a timeout the server may still answer, and the next statement would get that answer. And a server that
  // cannot work now may be left for another one, but not by a connection that is kept.
  raw.destroy();
  return "dropped";
}

async function endPool(pool: Pool): Promise<void> {
  const ended = new Promise<void>((resolve, reject) => {
    pool.end((error) => (error ? reject(error) : resolve()));
  });
  // A server that hangs does not say goodbye.
  await orUnavailable(CLOSE_TIMEOUT_MS, "closing the database's connections", ended);
}
