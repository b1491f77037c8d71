// Two api and two executor programs on servers behind toxiproxy; a program that dies is started again.
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { eventually } from "../support/eventually.ts";
import { findFreePort } from "../support/free-port.ts";
import { type PrivateMariadb, startPrivateMariadb } from "../support/private-mariadb.ts";
import { type PrivateNsqd, startPrivateNsqd } from "../support/private-nsqd.ts";
import { type PrivateRedis, startPrivateRedis } from "../support/private-redis.ts";
import { childOf, keepRunning, untilHealthy } from "./kept-program.ts";
import { countJobs } from "./session.ts";
import { startToxiproxy, type Toxiproxy } from "./toxiproxy.ts";
import { type Usage, usageOf } from "./usage.ts";

export const LEASE_MS = 3_000;
const JOBS_DIR = new URL("jobs", import.meta.url).pathname;
const HOOK = new URL("hook.ts", import.meta.url).pathname;
const ADMIN_TOKEN = "an-admin-token-for-fault-sessions";

type Kept = ReturnType<typeof keepRunning> & { readonly url: string };

interface Servers {
  readonly mariadb: PrivateMariadb;
  readonly nsqd: PrivateNsqd;
  readonly redis: PrivateRedis;
  readonly toxiproxy: Toxiproxy;
}

export interface Cluster extends Servers {
  readonly folder: string;
  readonly apis: readonly string[];
  readonly adminToken: string;
  /** Kills a main process with an executor, or that executor alone; another one each time. */
  killOne(which: "executor" | "main"): void;
  /** What each program holds, by its name. */
  usage(): ReadonlyMap<string, Usage>;
  /** Ends every program and waits until its successor is there. */
  renewAll(): Promise<void>;
  /** Starts of programs after the first one of each. */
  restarts(): number;
  stop(): Promise<void>;
}

/** @param sources the folder with `src/` that the programs are started from */
export async function startCluster(folder: string, sources: string): Promise<Cluster> {
  mkdirSync(join(folder, "passed"), { recursive: true });
  const [mariadb, nsqd, redis, toxiproxy] = await Promise.all([
    startPrivateMariadb(),
    startPrivateNsqd(),
    startPrivateRedis(),
    startToxiproxy(),
  ]);
  const servers = { mariadb, nsqd, redis, toxiproxy };
  const env = {
    FAILPOINT_MODULE: HOOK,
    CHAOS_DIR: folder,
    SECRET_KEY: "a secret key of at least 32 characters",
    ADMIN_TOKEN,
    CALLBACK_ALLOW: "127.0.0.0/8",
    LEASE_MS: String(LEASE_MS),
    EXECUTOR_SLOTS: "16",
    JOBS_DIR,
    LOG_LEVEL: "info",
  };
  const programs = new Map<string, Kept>();
  const apis: string[] = [];
  let kills = 0;
  for (const [role, name] of [
    ["api", "api-1"],
    ["executor", "executor-1"],
    ["api", "api-2"],
    ["executor", "executor-2"],
  ] as const) {
    const port = await findFreePort();
    const own = {
      ...env,
      ...(await linksOf(name, servers)),
      CHAOS_PROGRAM: name,
      ROLE: role,
      PORT: String(port),
      DATA_DIR: join(folder, name),
    };
    const url = `http://127.0.0.1:${port}`;
    if (role === "api") apis.push(url);
    const log = join(folder, `${name}.log`);
    const program = keepRunning({ main: join(sources, "src/main.ts"), log, env: own });
    programs.set(name, { ...program, url });
    // One after the other: the first one migrates.
    await untilHealthy(url);
  }
  await eventually(async () => (await countJobs(mariadb.url)) || undefined);
  return {
    folder,
    apis,
    adminToken: ADMIN_TOKEN,
    ...servers,
    killOne(which) {
      kills += 1;
      const pid = programs.get(`executor-${1 + (kills % 2)}`)?.child().pid;
      const victim = which === "main" ? pid : childOf(pid);
      if (victim !== undefined) process.kill(victim, "SIGKILL");
    },
    usage: () =>
      new Map([...programs].map(([name, { child }]) => [name, usageOf(child().pid ?? 0)])),
    async renewAll() {
      for (const { renew, url } of programs.values()) {
        await renew();
        await untilHealthy(url);
      }
    },
    restarts: () => [...programs.values()].reduce((sum, { restarts }) => sum + restarts(), 0),
    async stop() {
      await Promise.all([...programs.values()].map(({ stop }) => stop()));
      await Promise.all([mariadb.stop(), nsqd.stop(), redis.stop(), toxiproxy.stop()]);
    },
  };
}

/** A link of its own to each server, so that one program can be cut off while the others go on. */
async function linksOf(program: string, { mariadb, nsqd, redis, toxiproxy }: Servers) {
  const proxy = (link: string, upstream: string) => toxiproxy.proxy(`${link}-${program}`, upstream);
  const database = new URL(mariadb.url);
  database.host = await proxy("database", database.host);
  // Without nsqlookupd the consumers use the addresses that are given, and so the link.
  return {
    DATABASE_URL: database.href,
    REDIS_URL: `redis://${await proxy("redis", `127.0.0.1:${redis.port}`)}`,
    NSQD_TCP_ADDRESSES: await proxy("nsqd", nsqd.tcpAddress),
  };
}
