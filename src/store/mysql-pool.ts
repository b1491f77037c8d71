// Connections to MySQL or MariaDB: bounded waits, and the session set up before the first use of each.
import type { MysqlPool, MysqlPoolConnection } from "kysely";
import {
  createPool,
  type Pool,
  type PoolConnection,
  type QueryError,
  type QueryOptions,
  type ResultSetHeader,
  type RowDataPacket,
} from "mysql2";
import { AppError, messageOf } from "../core/errors.ts";
import type { Logger } from "../core/logger.ts";
import { within } from "./patience.ts";

const CONNECT_TIMEOUT_MS = 2_000;
/** How long a statement waits for a free connection. */
const ACQUIRE_TIMEOUT_MS = 5_000;
const CLOSE_TIMEOUT_MS = 2_000;

export interface MysqlPoolOptions {
  readonly url: string;
  readonly poolSize: number;
  /** A statement that takes longer loses its connection; 0: no limit. */
  readonly statementTimeoutMs: number;
  readonly logger: Logger;
}

/** What Kysely asks of a pool, and a way round Kysely for what it does not pass on. */
export interface ReadyPool {
  readonly forKysely: MysqlPool;
  /** Sends one INSERT; answers the first id and the distance to the next one. */
  insert(sql: string, values: readonly unknown[]): Promise<{ firstId: number; step: number }>;
  close(): Promise<void>;
}

interface ReadyConnection {
  /** Always the same object for a connection: Kysely knows it again by that. */
  readonly forKysely: MysqlPoolConnection;
  /** auto_increment_increment: on a cluster the ids of one INSERT are not consecutive. */
  readonly step: number;
}

// Pools open in REPEATABLE READ and with the server's sql_mode, which may truncate instead of refusing.
const SESSION_STATEMENTS = [
  "SET NAMES utf8mb4 COLLATE utf8mb4_bin",
  "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED",
  `SET SESSION autocommit = 1, time_zone = '+00:00', innodb_lock_wait_timeout = 2,
     sql_mode = 'STRICT_ALL_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION'`,
] as const;

export function createReadyPool(options: MysqlPoolOptions): ReadyPool {
  const pool = openPool(options);
  const ready = new WeakMap<PoolConnection, ReadyConnection>();

  const acquire = async () => {
    const raw = await acquireRaw(pool);
    const connection = ready.get(raw) ?? (await prepareSession(raw, options));
    ready.set(raw, connection);
    return { raw, connection };
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
    insert: async (sql, values) => {
      const { raw, connection } = await acquire();
      try {
        const header = await send<ResultSetHeader>(raw, sql, { values, ...options });
        return { firstId: header.insertId, step: connection.step };
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
  });
  pool.on("connection", (connection) => {
    // The pool replaces a broken connection by itself; without a listener the event would end the process.
    connection.on("error", (error) => {
      logger.warn({ error: messageOf(error) }, "a connection to the database broke");
    });
  });
  return pool;
}

function acquireRaw(pool: Pool): Promise<PoolConnection> {
  return new Promise((resolve, reject) => {
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      reject(noConnection());
    }, ACQUIRE_TIMEOUT_MS);
    pool.getConnection((error, connection) => {
      clearTimeout(timer);
      if (error !== null) return reject(error);
      if (isLate) return connection.release();
      resolve(connection);
    });
  });
}

function noConnection(): AppError {
  const message = `no connection to the database came free in ${ACQUIRE_TIMEOUT_MS} ms`;
  return new AppError("unavailable", message, { retryAfterS: 1 });
}

async function prepareSession(
  raw: PoolConnection,
  options: MysqlPoolOptions,
): Promise<ReadyConnection> {
  try {
    for (const statement of SESSION_STATEMENTS) await send(raw, statement, options);
    const question = "SELECT @@auto_increment_increment AS step, VERSION() AS version";
    const [row] = await send<RowDataPacket[]>(raw, question, options);
    refuseOldServer(String(row?.["version"]));
    return { forKysely: toKyselyConnection(raw, options), step: Number(row?.["step"]) };
  } catch (thrown) {
    // Half prepared it must never be used.
    raw.destroy();
    throw thrown;
  }
}

/** Before these versions there is no SKIP LOCKED. */
function refuseOldServer(version: string): void {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const isMariadb = /mariadb/i.test(version);
  const isNew = isMariadb ? major > 10 || (major === 10 && minor >= 6) : major >= 8;
  if (isNew) return;
  const message = `the database server is ${version}; MySQL 8.0 or MariaDB 10.6 is the oldest that works`;
  throw new AppError("configuration", message);
}

function toKyselyConnection(
  raw: PoolConnection,
  { statementTimeoutMs }: MysqlPoolOptions,
): MysqlPoolConnection {
  const query = (
    sql: string,
    values: unknown,
    callback: (error: unknown, result: unknown) => void,
  ) =>
    raw.query(queryOptions({ sql, values, statementTimeoutMs }), (error, result) => {
      afterQuery(raw, error);
      callback(error, result);
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

interface Sending {
  readonly values?: readonly unknown[];
  readonly statementTimeoutMs: number;
}

function send<Result>(
  raw: PoolConnection,
  sql: string,
  { values = [], statementTimeoutMs }: Sending,
): Promise<Result> {
  return new Promise((resolve, reject) => {
    raw.query(queryOptions({ sql, values, statementTimeoutMs }), (error, result) => {
      afterQuery(raw, error);
      if (error !== null) return reject(error);
      resolve(result as Result);
    });
  });
}

type QueryParts = {
  readonly sql: string;
  readonly values: unknown;
  readonly statementTimeoutMs: number;
};

function queryOptions({ sql, values, statementTimeoutMs }: QueryParts): QueryOptions {
  const timeout = statementTimeoutMs === 0 ? {} : { timeout: statementTimeoutMs };
  return { sql, values: values as NonNullable<QueryOptions["values"]>, ...timeout };
}

function afterQuery(raw: PoolConnection, error: QueryError | null): void {
  if (error === null) return;
  // The server may still answer: the next statement would get the answer of this one.
  if (error.code === "PROTOCOL_SEQUENCE_TIMEOUT") raw.destroy();
  // The text of the statement holds the contents of tasks, which must not reach a log.
  delete (error as { sql?: string }).sql;
}

async function endPool(pool: Pool): Promise<void> {
  const ended = new Promise<void>((resolve, reject) => {
    pool.end((error) => (error ? reject(error) : resolve()));
  });
  // A server that hangs does not say goodbye.
  await within(CLOSE_TIMEOUT_MS, "closing the database's connections", ended);
}
