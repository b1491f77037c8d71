// Hands a test file the real servers it may use, taken from the environment, and says which are missing and why.

import { randomBytes } from "node:crypto";
import { createConnection } from "mysql2/promise";
import { startPrivateMariadb, whyNoMariadb } from "./private-mariadb.ts";
import { type PrivateNsqd, startPrivateNsqd, whyNoNsqd } from "./private-nsqd.ts";
import { startPrivateRedis, whyNoRedis } from "./private-redis.ts";
import { findNsqdHttpAddress, probeMysql, probeNsq, probeRedis } from "./probes.ts";

export type FreshDatabase = { readonly url: string; readonly drop: () => Promise<void> };

export type MysqlService = {
  readonly url: string;
  /** Creates an empty database with a name of its own. */
  readonly freshDatabase: () => Promise<FreshDatabase>;
};

export type RedisService = { readonly url: string };

export type NsqdService = {
  readonly tcpAddress: string;
  readonly httpAddress: string;
  readonly lookupdHttpAddress: string;
};

/** Shared servers, not to be disturbed, and the means to start private ones that may be. */
export type ServiceTypes = {
  readonly mysql: MysqlService;
  readonly redis: RedisService;
  readonly nsqd: NsqdService;
  readonly startMariadb: typeof startPrivateMariadb;
  readonly startRedis: typeof startPrivateRedis;
  readonly startNsqd: () => Promise<PrivateNsqd>;
};

export type ServiceName = keyof ServiceTypes;

/** What is there, and for each name that is not, the reason. */
export type Services = { readonly [K in ServiceName]: ServiceTypes[K] | undefined } & {
  readonly missing: Readonly<Partial<Record<ServiceName, string>>>;
};

type Environment = Readonly<Record<string, string | undefined>>;

type Kind = "mysql" | "redis" | "nsqd";

const NOT_STARTED = "`bun test` alone starts no servers; `bun run test` does";

/** Looks for what `bun run test` started or the environment names, and asks each server for an answer. */
export async function acquireServices(environment: Environment = process.env): Promise<Services> {
  const missing: Partial<Record<ServiceName, string>> = {};
  const find = async <T>(name: ServiceName, look: () => Promise<T>): Promise<T | undefined> => {
    try {
      return await look();
    } catch (error) {
      missing[name] = describeError(error);
      return undefined;
    }
  };
  const mayStart = environment["TEST_START_SERVERS"] === "1";
  return {
    mysql: await find("mysql", () => findMysql(environment)),
    redis: await find("redis", () => findRedis(environment)),
    nsqd: await find("nsqd", () => findNsqd(environment)),
    startMariadb: await find("startMariadb", () =>
      starter(mayStart, whyNoMariadb, startPrivateMariadb),
    ),
    startRedis: await find("startRedis", () => starter(mayStart, whyNoRedis, startPrivateRedis)),
    startNsqd: await find("startNsqd", () => starter(mayStart, whyNoNsqd, startPrivateNsqd)),
    missing,
  };
}

/** The words that say why a server cannot be used. */
export function describeError(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = "code" in error ? String(error.code) : error.name;
  return error.message || code;
}

async function findMysql(environment: Environment): Promise<MysqlService> {
  const url = required(environment, "mysql", "TEST_DATABASE_URL");
  await answered("TEST_DATABASE_URL", probeMysql(url));
  return { url, freshDatabase: () => createFreshDatabase(url) };
}

async function findRedis(environment: Environment): Promise<RedisService> {
  const url = required(environment, "redis", "TEST_REDIS_URL");
  await answered("TEST_REDIS_URL", probeRedis(url));
  return { url };
}

async function findNsqd(environment: Environment): Promise<NsqdService> {
  const tcpAddress = required(environment, "nsqd", "TEST_NSQD_TCP_ADDRESS");
  const lookupdHttpAddress = required(environment, "nsqd", "TEST_NSQLOOKUPD_HTTP_ADDRESS");
  const search = findNsqdHttpAddress(tcpAddress, lookupdHttpAddress);
  const httpAddress = await answered("TEST_NSQLOOKUPD_HTTP_ADDRESS", search);
  await answered("TEST_NSQD_TCP_ADDRESS", probeNsq(httpAddress));
  return { tcpAddress, httpAddress, lookupdHttpAddress };
}

async function answered(variable: string, probe: Promise<string>): Promise<string> {
  try {
    return await probe;
  } catch (error) {
    throw new Error(`the server of ${variable} does not answer (${describeError(error)})`, {
      cause: error,
    });
  }
}

async function starter<T>(mayStart: boolean, why: () => string | undefined, start: T): Promise<T> {
  const reason = mayStart ? why() : NOT_STARTED;
  if (reason !== undefined) throw new Error(reason);
  return start;
}

function required(environment: Environment, kind: Kind, variable: string): string {
  const value = environment[variable];
  if (value) return value;
  const reasons = JSON.parse(environment["TEST_SERVERS_MISSING"] ?? "{}") as Record<string, string>;
  throw new Error(reasons[kind] ?? `${variable} is not set: ${NOT_STARTED}`);
}

async function createFreshDatabase(serverUrl: string): Promise<FreshDatabase> {
  const name = `test_${randomBytes(6).toString("hex")}`;
  await execute(serverUrl, `CREATE DATABASE ${name} CHARACTER SET utf8mb4 COLLATE utf8mb4_bin`);
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  return { url: url.href, drop: () => execute(serverUrl, `DROP DATABASE ${name}`) };
}

async function execute(url: string, sql: string): Promise<void> {
  const connection = await createConnection({ uri: url });
  try {
    await connection.query(sql);
  } finally {
    connection.destroy();
  }
}
