// The bench of kills (`bun run bench:kill [--quick]`): latency by method, throughput kept, detail of a spinning job, memory.
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { KillReceipt } from "../src/core/attempt.ts";
import { openEntry, openProcessEntry } from "../src/job/host/entry.ts";
import type { JobHost } from "../src/job/host/job-host.ts";
import { createJobProcess } from "../src/job/host/job-process.ts";
import { createJobThread } from "../src/job/host/job-thread.ts";
import { loadFile } from "../src/job/host/load-file.ts";
import { openLiveSources } from "../src/live/sources.ts";
import { createClient } from "../test/support/api-client.ts";
import { percentile } from "../test/support/latencies.ts";
import { machineText } from "./machine.ts";
import { withProgram } from "./programs.ts";
import { type Cell, tableText } from "./report.ts";
import { emptyFolder, removeFolders } from "./scratch.ts";
import { openSpinningTasks, type SpinningTasks } from "./spinning-tasks.ts";

/** Longer than this means that something hangs. */
const LIMIT_MS = 300_000;
const JOBS_DIR = fileURLToPath(new URL("jobs", import.meta.url));
const CORES = 2;
/** Fewer than cores leave one to the platform; as many mean that spinners take all of them. */
const SLOTS = [CORES - 1, CORES];
const TIMEOUT_MS = 50;
/** One task in so many spins. */
const SPINNER_IN = 10;
/** Only killing is of interest there. */
const SHORT_TIMEOUT_MS = 20;
/** After so many kills the memory is looked at. */
const LOOK_EVERY = 500;
const MB = 1_048_576;

const FULL = { tasks: 3_000, kills: 3_000, starts: 30, details: 300 };
const QUICK = { tasks: 500, kills: 300, starts: 15, details: 100 };

await main(process.argv.includes("--quick") ? QUICK : FULL);

async function main(options: typeof FULL): Promise<void> {
  const startedMs = performance.now();
  const limit = setTimeout(() => giveUp(), LIMIT_MS);
  console.log(await machineText(undefined));
  console.log(await measureStarts(options.starts));
  console.log(await measureDetail(options.details));
  const rows: Cell[][] = [];
  for (const slots of SLOTS) rows.push(...(await measureSlots(slots, options.tasks)));
  console.log(killsText(rows, options.tasks));
  console.log(await measureMemory(options.kills));
  await removeFolders();
  clearTimeout(limit);
  console.log(`took ${((performance.now() - startedMs) / 1000).toFixed(0)} s`);
  process.exit(0);
}

function giveUp(): never {
  console.error(`the bench did not end within ${LIMIT_MS} ms`);
  process.exit(1);
}

async function measureSlots(slots: number, count: number): Promise<Cell[][]> {
  const tasks = await openSpinningTasks(JOBS_DIR, slots);
  const onThreads = await measureKills(tasks, "quick", count);
  const inProcesses = await measureKills(tasks, "quick-process", count);
  await tasks.close();
  return [onThreads, inProcesses];
}

/**
 * The bound: what the quick tasks alone take in the same slots, measured just before, plus the spinners' timeouts shared
 * by the slots. Nothing is added for killing, for starting job workers or for spinners that want the same cores.
 */
async function measureKills(tasks: SpinningTasks, job: string, count: number): Promise<Cell[]> {
  const spins = Array.from({ length: count }, (_, index) => index % SPINNER_IN === 0);
  const quick = spins.filter((spin) => !spin);
  const spinners = count - quick.length;
  await tasks.run(job, quick.slice(0, 50), TIMEOUT_MS);
  const [quickMs] = await timed(() => tasks.run(job, quick, TIMEOUT_MS));
  const [tookMs, receipts] = await timed(() => tasks.run(job, spins, TIMEOUT_MS));
  const boundMs = quickMs + (spinners * TIMEOUT_MS) / tasks.slots;
  const kept = (boundMs / tookMs).toFixed(2);
  return [`${tasks.slots}`, ...latencyCells(receipts), quickMs, boundMs, tookMs, kept];
}

function latencyCells(receipts: readonly KillReceipt[]): Cell[] {
  const latencies = receipts.map(({ latencyMs }) => latencyMs);
  const proven = receipts.filter(({ killed }) => killed).length;
  const methods = [...new Set(receipts.map(({ method }) => method))].join(", ");
  const [p50, p99] = [0.5, 0.99].map((share) => percentile(latencies, share));
  return [methods, `${proven} of ${receipts.length}`, p50 ?? 0, p99 ?? 0];
}

function killsText(rows: readonly Cell[][], count: number): string {
  const title = `${count} tasks, every ${SPINNER_IN}th spins into a timeout of ${TIMEOUT_MS} ms; bound = quick tasks alone + spinners × ${TIMEOUT_MS} ms ÷ slots`;
  const head = [
    "slots",
    "method",
    "proven dead",
    "p50 ms",
    "p99 ms",
    "quick ms",
    "bound ms",
    "took ms",
  ];
  return tableText(title, [[...head, "kept"], ...rows]);
}

/** From nothing to a job worker that can load a job, and from there to one that can run it. */
async function measureStarts(count: number): Promise<string> {
  const folder = await emptyFolder();
  const entry = await openEntry(folder, console);
  const processEntry = await openProcessEntry(folder, console);
  const sources = openLiveSources(folder);
  const kinds = {
    thread: () => createJobThread({}, { entry, sources }),
    process: () => createJobProcess({ env: {}, entry, processEntry }),
  };
  const head = ["", "start p50 ms", "most ms", "spare loads the job p50 ms", "most ms"];
  const rows: Cell[][] = [[...head, "CPU ms"]];
  for (const [kind, spawn] of Object.entries(kinds)) rows.push(await startRow(kind, spawn, count));
  return tableText(`Start of ${count} job workers, one after the other`, rows);
}

async function startRow(kind: string, spawn: () => JobHost, count: number): Promise<Cell[]> {
  const ready: number[] = [];
  const loaded: number[] = [];
  const file = join(JOBS_DIR, "quick.ts");
  const before = process.cpuUsage();
  for (let i = 0; i < count; i++) {
    const [readyMs, host] = await timed(async () => {
      const spawned = spawn();
      await spawned.ready;
      return spawned;
    });
    ready.push(readyMs);
    loaded.push((await timed(() => loadFile(host, { file, trace: "lean" })))[0]);
    await host.kill();
  }
  const { user, system } = process.cpuUsage(before);
  // Of another process this one cannot tell.
  const cpu = kind === "thread" ? (user + system) / 1000 / count : "";
  const most = (times: readonly number[]) => Math.max(...times);
  return [kind, percentile(ready, 0.5), most(ready), percentile(loaded, 0.5), most(loaded), cpu];
}

/** Asks the whole program over HTTP where a job is that spins on a thread. */
async function measureDetail(count: number): Promise<string> {
  return withProgram({ name: "embedded", env: { JOBS_DIR } }, async ({ url }) => {
    const client = await createClient(url);
    const id = await client.createJob("quick", { spin: true }, { timeout: 120_000 });
    await client.until(id, ({ state }) => state === "running", 10_000);
    const times: number[] = [];
    const lines = new Set<unknown>();
    for (let i = 0; i < count; i++) {
      const [ms, detail] = await timed(() => client.detail(id));
      times.push(ms);
      lines.add(`${detail.state} line ${detail.executed_function_line}`);
    }
    await client.post("/task/cancel", { id });
    const row = [0.5, 0.95, 0.99].map((share) => percentile(times, share));
    const title = `Detail of a job in for(;;), ${count} requests over HTTP, embedded (${[...lines].join(", ")})`;
    return tableText(title, [
      ["", "p50 ms", "p95 ms", "p99 ms", "most ms"],
      ["detail", ...row, Math.max(...times)],
    ]);
  });
}

async function measureMemory(kills: number): Promise<string> {
  const tasks = await openSpinningTasks(JOBS_DIR, CORES);
  const rss: [kills: number, mb: number][] = [[0, rssMb()]];
  const receipts: KillReceipt[] = [];
  const [ms] = await timed(async () => {
    while (receipts.length < kills) {
      const spins = Array.from(
        { length: Math.min(LOOK_EVERY, kills - receipts.length) },
        () => true,
      );
      receipts.push(...(await tasks.run("quick", spins, SHORT_TIMEOUT_MS)));
      rss.push([receipts.length, rssMb()]);
    }
  });
  await tasks.close();
  const title = `${kills} more kills of threads with a timeout of ${SHORT_TIMEOUT_MS} ms in ${Math.round(ms / 1000)} s`;
  const latency = latencyCells(receipts);
  return tableText(title, [
    ["method", "proven dead", "p50 ms", "p99 ms", ...rss.map(([count]) => `RSS MB at ${count}`)],
    [...latency, ...rss.map(([, mb]) => mb)],
  ]);
}

async function timed<T>(work: () => Promise<T>): Promise<readonly [ms: number, value: T]> {
  const startedMs = performance.now();
  const value = await work();
  return [performance.now() - startedMs, value];
}

function rssMb(): number {
  return Math.round(process.memoryUsage.rss() / MB);
}
