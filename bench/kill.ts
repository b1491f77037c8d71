// Kill latency and throughput with a tenth of the tasks spinning into their timeout; start and hand-over of job workers.
import { fileURLToPath } from "node:url";
import { createJobLane } from "../src/consumer/job-lane.ts";
import type { KillReceipt, RunningAttempt } from "../src/core/attempt.ts";
import { linearRetry } from "../src/core/retry-policy.ts";
import type { ClaimedTask } from "../src/core/task.ts";
import { openEntry } from "../src/job/entry.ts";
import { createJobProcess } from "../src/job/job-process.ts";
import { createJobThread } from "../src/job/job-thread.ts";
import { loadFile } from "../src/job/load-file.ts";
import { emptyFolder } from "./scratch.ts";

const TIMEOUT_MS = 50;
const SLOTS = 2;
const MB = 1_048_576;

const jobsDir = fileURLToPath(new URL("./jobs", import.meta.url));
const quiet = () => undefined;
const logger = { debug: quiet, info: quiet, warn: quiet, error: quiet };
const lane = await createJobLane({ jobsDir, slots: SLOTS, logger });
let ids = 0;

function start(job: string, spin: boolean): RunningAttempt {
  ids += 1;
  const task: ClaimedTask = {
    taskId: ids,
    attemptId: ids,
    fence: 1,
    taskNo: `no-${ids}`,
    name: "bench",
    lane: "job",
    job,
    content: JSON.stringify({ class: job, params: { spin } }),
    timeoutMs: spin ? TIMEOUT_MS : 60_000,
    life: 1,
    attempt: 1,
    charged: 0,
    deaths: 0,
    retry: linearRetry(0, 0),
    coroutineId: ids,
    application: {
      id: 1,
      appKey: "key",
      linkUrl: "http://127.0.0.1",
      secretSealed: "",
      callbackSecretSealed: null,
      previous: null,
      successMatch: "body",
    },
  };
  return lane.start(task);
}

/** Runs tasks with `SLOTS` at once; each slot takes the next when nothing of the last one runs any more. */
async function runAll(job: string, spins: readonly boolean[]): Promise<KillReceipt[]> {
  const receipts: KillReceipt[] = [];
  const open = spins.values();
  const slot = async () => {
    for (const spin of open) {
      const attempt = start(job, spin);
      const [end, gone] = await Promise.all([attempt.ended, attempt.gone]);
      if (end.outcome === "timed_out") receipts.push(gone);
    }
  };
  await Promise.all(Array.from({ length: SLOTS }, slot));
  return receipts;
}

async function timed<T>(work: () => Promise<T>): Promise<readonly [ms: number, value: T]> {
  const startedMs = performance.now();
  const value = await work();
  return [performance.now() - startedMs, value];
}

function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return Math.round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0);
}

function rssMb(): number {
  return Math.round(process.memoryUsage.rss() / MB);
}

async function benchKills(job: string, tasks: number): Promise<void> {
  const spins = Array.from({ length: tasks }, (_, index) => index % 10 === 9);
  const quick = spins.filter((spin) => !spin);
  await runAll(job, quick.slice(0, 50));
  const [quickMs] = await timed(() => runAll(job, quick));
  const [allMs, receipts] = await timed(() => runAll(job, spins));
  const boundMs = quickMs + ((tasks - quick.length) * TIMEOUT_MS) / SLOTS;
  const latencies = receipts.map(({ latencyMs }) => latencyMs);
  const [p50, p99] = [percentile(latencies, 0.5), percentile(latencies, 0.99)];
  const kept = (boundMs / allMs).toFixed(2);
  const dead = receipts.filter(({ killed }) => killed).length;
  console.log(
    `${job}: ${tasks} tasks, ${receipts.length} killed at ${TIMEOUT_MS} ms (${dead} proven): ` +
      `latency p50 ${p50} ms, p99 ${p99} ms; ${Math.round(allMs)} ms, ${kept} of the bound ${Math.round(boundMs)} ms`,
  );
}

async function benchStarts(): Promise<void> {
  const entry = await openEntry(await emptyFolder(), logger);
  const kinds = {
    thread: () => createJobThread({}, { entry }),
    process: () => createJobProcess({ env: {}, entry }),
  };
  for (const [kind, spawn] of Object.entries(kinds)) {
    const ready: number[] = [];
    const loaded: number[] = [];
    for (let i = 0; i < 15; i++) {
      const [readyMs, host] = await timed(async () => {
        const spawned = spawn();
        await spawned.ready;
        return spawned;
      });
      ready.push(readyMs);
      loaded.push((await timed(() => loadFile(host, `${jobsDir}/quick.ts`, "off")))[0]);
      await host.kill();
    }
    const start = `start p50 ${percentile(ready, 0.5)} ms, max ${percentile(ready, 1)} ms`;
    console.log(`${kind}: ${start}; hand-over of a spare p50 ${percentile(loaded, 0.5)} ms`);
  }
}

const before = rssMb();
await benchStarts();
await benchKills("quick", Number(process.argv[2] ?? 3_000));
await benchKills("quick-process", Number(process.argv[3] ?? 600));
const after = rssMb();
const spinning = Array.from({ length: Number(process.argv[4] ?? 3_000) }, () => true);
if (spinning.length > 0) await runAll("quick", spinning);
console.log(
  `RSS: ${before} MB at first, ${after} MB then, ${rssMb()} MB after ${spinning.length} more kills`,
);
await lane.close();
process.exit(0);
