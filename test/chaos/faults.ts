// Does a fault at its cell: waits until a process has taken it, then does what that process cannot do itself, and heals.
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { Redis } from "ioredis";
import { createConnection } from "mysql2/promise";
import type { Failpoint } from "../../src/core/failpoints.ts";
import { emptyTopics } from "../support/nsqd-http.ts";
import type { PrivateServer } from "../support/private-server.ts";
import type { Cell, Taken } from "./cells.ts";
import { type Cluster, LEASE_MS } from "./cluster.ts";
import { isToxic } from "./toxiproxy.ts";

const TAKEN_WITHIN_MS = 4_000;
/** A lease has to end before it can be reaped. */
const REAPED_WITHIN_MS = LEASE_MS * 4;
/** Points that only the death of a process leads to, and which process that is. */
const PROVOKED: Readonly<Partial<Record<Failpoint, "executor" | "main">>> = {
  "expired-reaped": "main",
  "dead-taken-over": "executor",
  "executor-registered": "executor",
};
/** Longer than the lease: its successors take over meanwhile. */
const LONGER_THAN_LEASE_MS = LEASE_MS * 1.5;
const AWAY_MS = 700;
const LOOK_EVERY_MS = 5;

export interface Suffered {
  /** False: no process passed the point in time; what led to it (a kill) may have been done all the same. */
  readonly isTaken: boolean;
  /** Epoch ms. */
  readonly from: number;
  readonly healedAt: number;
}

export async function doFault(cluster: Cluster, cell: Cell): Promise<Suffered> {
  const { folder } = cluster;
  const from = Date.now();
  writeFileSync(join(folder, "arming"), JSON.stringify(cell));
  renameSync(join(folder, "arming"), join(folder, "armed"));
  const provoked = PROVOKED[cell.point];
  if (provoked !== undefined) cluster.killOne(provoked);
  const taken = await untilTaken(folder, provoked ? REAPED_WITHIN_MS : TAKEN_WITHIN_MS);
  if (taken !== null) await act(cluster, taken);
  return { isTaken: taken !== null, from, healedAt: Date.now() };
}

async function untilTaken(folder: string, withinMs: number): Promise<Taken | null> {
  const file = join(folder, "taken");
  const endAt = performance.now() + withinMs;
  while (!existsSync(file)) {
    if (performance.now() > endAt) {
      rmSync(join(folder, "armed"), { force: true });
      // It may have been taken in this moment.
      if (!existsSync(file)) return null;
    }
    await delay(LOOK_EVERY_MS);
  }
  const taken = JSON.parse(readFileSync(file, "utf8")) as Taken;
  rmSync(file);
  return taken;
}

async function act(cluster: Cluster, taken: Taken): Promise<void> {
  const { fault, pid, mainPid } = taken;
  const { mariadb, redis, nsqd } = cluster;
  switch (fault) {
    case "kill-self":
      return;
    case "freeze-self":
      await delay(LONGER_THAN_LEASE_MS);
      return signal(pid, "SIGCONT");
    case "kill-main":
      return signal(mainPid, "SIGKILL");
    case "cut-database":
    case "cut-redis":
    case "cut-nsqd":
    case "cut-receiver":
    case "slow-database":
    case "slow-receiver":
    case "slice-database":
    case "mute-database":
    case "mute-receiver":
    case "reset-database":
      return onLink(cluster, taken);
    case "away-database":
      return onLink(cluster, taken, LONGER_THAN_LEASE_MS);
    case "freeze-database":
      return frozen(mariadb);
    case "freeze-redis":
      return frozen(redis);
    case "freeze-nsqd":
      return frozen(nsqd);
    case "kill-database":
      return again(mariadb);
    case "kill-redis":
      return again(redis);
    case "kill-nsqd":
      return again(nsqd);
    case "read-only-database":
      return readOnly(mariadb.url);
    case "flush-redis":
      return flush(redis.url);
    case "empty-nsqd":
      return emptyTopics(nsqd.httpAddress);
  }
}

/** What happens and to which link are the two words of the fault's name; only that program's link to it. */
async function onLink(
  { toxiproxy }: Cluster,
  { fault, program }: Taken,
  ms = AWAY_MS,
): Promise<void> {
  const [how = "", server = ""] = fault.split("-");
  const link = server === "receiver" ? server : `${server}-${program}`;
  await (isToxic(how) ? toxiproxy.spoil(link, how) : toxiproxy.cut(link));
  await delay(ms);
  await toxiproxy.join(link);
}

async function frozen(server: PrivateServer): Promise<void> {
  server.freeze();
  await delay(AWAY_MS);
  server.thaw();
}

async function again(server: PrivateServer): Promise<void> {
  await server.kill9();
  await server.restart();
}

/** As the old primary of a failover: writes are refused on connections that stay open. */
async function readOnly(url: string): Promise<void> {
  const admin = await createConnection({ uri: url });
  try {
    await admin.query("SET GLOBAL read_only = 1");
    await delay(AWAY_MS);
    await admin.query("SET GLOBAL read_only = 0");
  } finally {
    admin.destroy();
  }
}

async function flush(url: string): Promise<void> {
  const redis = new Redis(url);
  try {
    await redis.flushall();
  } finally {
    redis.disconnect();
  }
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // It is gone already.
  }
}
