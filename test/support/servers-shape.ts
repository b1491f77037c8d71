// The third shape for one suite: a database, nsqd and Redis of its own, and as many programs of either role as it wants.
import type { Release } from "./last-release.ts";
import type { PrivateNsqd } from "./private-nsqd.ts";
import type { PrivateRedis } from "./private-redis.ts";
import { type Program, startProgram } from "./program.ts";
import type { ServiceTypes } from "./services.ts";

export const SERVERS_NEEDS = ["mysql", "startNsqd", "startRedis"] as const;
export type ServersNeeds = Pick<ServiceTypes, (typeof SERVERS_NEEDS)[number]>;

export const ADMIN_TOKEN = "an-admin-token-for-tests";

export interface ServersShape {
  readonly nsqd: PrivateNsqd;
  readonly redis: PrivateRedis;
  /** Of the database. */
  readonly url: string;
  /** Starts a program, today's unless another release is named. */
  start(role: "api" | "executor", release?: Release): Promise<Program>;
  /** Stops every program that was started, then the servers. */
  stop(): Promise<void>;
}

/** Starts the servers; `env` goes to each program besides their addresses. */
export async function openServersShape(
  { mysql, startNsqd, startRedis }: ServersNeeds,
  env: Readonly<Record<string, string>>,
): Promise<ServersShape> {
  const [database, nsqd, redis] = await Promise.all([
    mysql.freshDatabase(),
    startNsqd(),
    startRedis(),
  ]);
  const programs: Program[] = [];
  const shared = {
    DATABASE_URL: database.url,
    REDIS_URL: redis.url,
    NSQD_TCP_ADDRESSES: nsqd.tcpAddress,
    NSQLOOKUPD_HTTP_ADDRESSES: nsqd.lookupdHttpAddress,
    SECRET_KEY: "a secret key of at least 32 characters",
    ADMIN_TOKEN,
    LEASE_MS: "6000",
    ...env,
  };
  return {
    nsqd,
    redis,
    url: database.url,
    async start(role, release) {
      const ready = role === "api" ? { readyPath: "/healthz" } : {};
      const { main, jobsDir } = release ?? {};
      const env = { ...shared, ROLE: role, ...(jobsDir && { JOBS_DIR: jobsDir }) };
      const program = await startProgram({ env, ...ready, ...(main && { main }) });
      programs.push(program);
      return program;
    },
    async stop() {
      await Promise.all(programs.map((program) => program.stop()));
      await Promise.all([nsqd.stop(), redis.stop()]);
      await database.drop();
    },
  };
}
