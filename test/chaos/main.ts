// The fault harness: a session of real processes under load and faults, its checkers, its planted bugs. See docs/proof.md.
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { parseArgs } from "node:util";
import { FAILPOINTS } from "../../src/core/failpoints.ts";
import { type ApiClient, createClient } from "../support/api-client.ts";
import { findFreePort } from "../support/free-port.ts";
import { mulberry } from "../support/mulberry.ts";
import { watchOver } from "../support/watchdog.ts";
import { ALL_CELLS, type Cell } from "./cells.ts";
import { check } from "./checkers.ts";
import { type Cluster, LEASE_MS, startCluster } from "./cluster.ts";
import { doFault } from "./faults.ts";
import type { LoadSpec } from "./load-kinds.ts";
import { PLANTS, plantIn } from "./plants.ts";
import { countOpen, type FaultTime, readSession } from "./session.ts";

const ROOT = new URL("../..", import.meta.url).pathname;
const SESSION_SECONDS = 240;
/** Enough for all of them. */
const PLANTS_SECONDS = 3_600;
const PLANT_SECONDS = 6;
const PLANT_FAULT_SECONDS = 20;
/** After healing, without any task coming to its end: leases end, retries are due. */
const END_WITHIN_MS = 45_000;
/** What a planted bug keeps open stays open. */
const PLANT_END_WITHIN_MS = 15_000;
const PER_SECOND = 90;
/** Until the leases of what died have expired and were found. */
const FELT_MS = LEASE_MS * 3;
const IDLE_MS = 10_000;
const MOST_SHOWN = 20;

type CellState = "done" | "unreached";

const { values } = parseArgs({
  options: {
    seconds: { type: "string" },
    seed: { type: "string", default: String(Date.now() % 1_000_000) },
    plant: { type: "string" },
    plants: { type: "boolean", default: false },
    list: { type: "boolean", default: false },
    keep: { type: "boolean", default: false },
  },
});
const SECONDS = Number(values.seconds ?? (values.plants ? PLANTS_SECONDS : SESSION_SECONDS));
process.exitCode = await main();

async function main(): Promise<number> {
  if (values.list) {
    for (const { id } of ALL_CELLS) console.log(id);
    for (const name of Object.keys(PLANTS)) console.log(`plant: ${name}`);
    return 0;
  }
  const names = values.plant === undefined ? [] : [values.plant];
  if (values.plants || values.plant !== undefined)
    return runPlants(values.plants ? Object.keys(PLANTS) : names);
  return runSession();
}

async function runSession(): Promise<number> {
  const seed = Number(values.seed);
  const result = await session({
    sources: ROOT,
    seed,
    seconds: SECONDS,
    cells: shuffled(ALL_CELLS, seed),
    endWithinMs: END_WITHIN_MS,
    isLong: true,
  });
  printMatrix(result.states);
  for (const { promise, found } of result.violations.slice(0, MOST_SHOWN))
    console.log(`${promise}: ${found}`);
  const states = [...result.states.values()];
  const cells = states.filter((state) => state === "done").length;
  const unreached = states.length - cells;
  const { tasks, restarts, violations } = result;
  console.log(
    JSON.stringify({
      tier: "ci",
      seed,
      tasks,
      faults: cells,
      cells,
      unreached,
      restarts,
      violations: violations.length,
    }),
  );
  return violations.length === 0 && tasks > 0 && cells > 0 ? 0 : 1;
}

/** Each must be reported by the checker that it names, or the harness could not see such a bug. Begins with another one for each seed. */
async function runPlants(names: readonly string[]): Promise<number> {
  const missed: string[] = [];
  const endAt = performance.now() + SECONDS * 1_000;
  const first = Number(values.seed) % names.length;
  let tried = 0;
  for (const name of [...names.slice(first), ...names.slice(0, first)]) {
    if (performance.now() > endAt) break;
    tried += 1;
    const folder = mkdtempSync(join(tmpdir(), "serendipity-plant-"));
    const plant = PLANTS[name];
    const sources = plantIn(folder, name);
    const cells = (plant?.cells ?? []).flatMap((cell) =>
      Array.from({ length: 4 }, () => ({ ...cell, id: cell.point })),
    );
    const { violations } = await session({
      sources,
      seed: Number(values.seed),
      seconds: cells.length === 0 ? PLANT_SECONDS : PLANT_FAULT_SECONDS,
      cells,
      endWithinMs: PLANT_END_WITHIN_MS,
    });
    const isCaught = violations.some(({ promise }) => promise === plant?.breaks);
    const seen = [...new Set(violations.map(({ promise }) => promise))].join("; ");
    console.log(
      `${isCaught ? "caught" : "MISSED"}: ${name} (${violations.length}: ${seen || "nothing"})`,
    );
    if (!isCaught) missed.push(name);
    rmSync(folder, { recursive: true });
  }
  console.log(JSON.stringify({ tier: "plants", seed: Number(values.seed), tried, missed }));
  return missed.length === 0 ? 0 : 1;
}

interface SessionSpec {
  readonly sources: string;
  readonly seed: number;
  readonly seconds: number;
  readonly cells: readonly Cell[];
  readonly endWithinMs: number;
  /** What the programs hold afterwards is worth a look. */
  readonly isLong?: boolean;
}

async function session(spec: SessionSpec) {
  const { sources, seed, seconds, cells, endWithinMs, isLong = false } = spec;
  const folder = mkdtempSync(join(tmpdir(), "serendipity-chaos-"));
  const cluster = await startCluster(folder, sources);
  try {
    const people = await startPeople(cluster, seed);
    const endAt = performance.now() + seconds * 1_000;
    const { states, faults } = await doCells(cluster, cells, endAt);
    await delay(Math.max(0, endAt - performance.now()));
    await people.stopLoad();
    await untilEnded(cluster.mariadb.url, endWithinMs);
    const read = await readSession(folder, cluster.mariadb.url, faults);
    people.stop();
    if (isLong) await printUsage(cluster);
    return {
      states,
      tasks: read.tasks.length,
      restarts: cluster.restarts(),
      violations: check(read),
    };
  } finally {
    await cluster.stop();
    if (values.keep) console.log(`histories and logs: ${folder}`);
    else rmSync(folder, { recursive: true, force: true });
  }
}

/** Each program as it is after the load and an idle time, beside a new one after the same idle time. */
async function printUsage(cluster: Cluster): Promise<void> {
  await delay(IDLE_MS);
  const used = cluster.usage();
  await cluster.renewAll();
  await delay(IDLE_MS);
  for (const [name, { rssMb, files, threads }] of cluster.usage()) {
    const before = used.get(name);
    console.log(
      `${name}: ${before?.rssMb} MB, ${before?.files} files, ${before?.threads} threads; new: ${rssMb} MB, ${files}, ${threads}`,
    );
  }
}

/** The load and the receiver, each a process of its own. */
async function startPeople(cluster: Cluster, seed: number) {
  const { folder, apis, toxiproxy } = cluster;
  const port = await findFreePort();
  const run = (script: string, ...args: string[]) => {
    const path = join(ROOT, "test/chaos", script);
    const child = spawn(process.execPath, ["--no-install", path, ...args], { stdio: "inherit" });
    watchOver('kill -9 "$1"', String(child.pid));
    return child;
  };
  const receiver = run("receiver.ts", join(folder, "receiver.jsonl"), String(port));
  const linkUrl = `http://${await toxiproxy.proxy("receiver", `127.0.0.1:${port}`)}/`;
  const { adminToken } = cluster;
  const own = () => createClient(apis[0] ?? "", { linkUrl, adminToken, retryTotal: 10 });
  const spec: LoadSpec = {
    apis,
    key: keyOf(await own()),
    stranger: keyOf(await own()),
    seed,
    perSecond: PER_SECOND,
    history: join(folder, "load.jsonl"),
    effects: join(folder, "effects.jsonl"),
  };
  const load = run("load.ts", JSON.stringify(spec));
  const ended = new Promise((resolve) => load.once("exit", resolve));
  return {
    async stopLoad() {
      load.kill("SIGTERM");
      await Promise.race([ended, delay(END_WITHIN_MS)]);
      load.kill("SIGKILL");
    },
    stop: () => receiver.kill("SIGKILL"),
  };
}

function keyOf({ appKey, secret }: ApiClient): LoadSpec["key"] {
  return { appKey, secret };
}

async function doCells(cluster: Cluster, cells: readonly Cell[], endAt: number) {
  const states = new Map<string, CellState>();
  const faults: FaultTime[] = [];
  for (const cell of cells) {
    if (performance.now() > endAt) break;
    const { isTaken, from, healedAt } = await doFault(cluster, cell);
    states.set(cell.id, isTaken ? "done" : "unreached");
    faults.push({ fault: cell.fault, from, healedAt, to: healedAt + FELT_MS });
    await delay(200);
  }
  return { states, faults };
}

/** Waits while fewer and fewer tasks are open; what stays so is for the checkers to name. */
async function untilEnded(databaseUrl: string, withinMs: number): Promise<void> {
  let least = Number.POSITIVE_INFINITY;
  let progressAt = performance.now();
  while (least > 0 && performance.now() - progressAt < withinMs) {
    const open = await countOpen(databaseUrl).catch(() => least);
    if (open < least) {
      least = open;
      progressAt = performance.now();
    }
    await delay(200);
  }
}

function shuffled(cells: readonly Cell[], seed: number): readonly Cell[] {
  const random = mulberry(seed);
  return cells
    .map((cell) => ({ cell, at: random() }))
    .toSorted((a, b) => a.at - b.at)
    .map(({ cell }) => cell);
}

function printMatrix(states: ReadonlyMap<string, CellState>): void {
  const faults = [...new Set(ALL_CELLS.map(({ fault }) => fault))];
  console.log(["point".padEnd(22), ...faults].join(" | "));
  for (const point of FAILPOINTS) {
    const marks = faults.map((fault) =>
      (states.get(`${point}.${fault}`) ?? "-").padEnd(fault.length),
    );
    console.log([point.padEnd(22), ...marks].join(" | "));
  }
}
