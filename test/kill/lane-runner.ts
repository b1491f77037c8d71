// Runs cases of the kill matrix in a process of its own, on either runtime, one per line of its input.
import { mkdtempSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { AttemptEnd, KillReceipt, RunningAttempt } from "../../src/core/attempt.ts";
import { createJobLane } from "../../src/job/job-lane.ts";
import { claimed, silent } from "../support/claimed-task.ts";

/** One case, as it comes in. */
export interface LaneCase {
  readonly do: string;
  readonly job: "on-thread" | "in-process" | "import-on-thread" | "import-in-process";
  readonly ending: "timeout" | "cancel";
  readonly timeoutMs: number;
}

/** What became of it. */
export interface LaneResult {
  readonly end: AttemptEnd;
  readonly gone: KillReceipt;
  /** From the deadline, or the cancel, until the outcome was decided; null when it ended by itself. */
  readonly endedAfterMs: number;
  /** The file the attempt was given. */
  readonly path: string;
  /** True when the attempt that runs beside all others still does. */
  readonly isSiblingAlive: boolean;
}

const folder = mkdtempSync(join(tmpdir(), "kill-"));
/** Once it is there the import of some jobs spins; each import that has begun adds a byte. */
const spinFlag = join(folder, "spin");
const lane = await createJobLane({
  jobsDir: fileURLToPath(new URL("./jobs", import.meta.url)),
  slots: 2,
  logger: silent,
  env: { PATH: process.env["PATH"] ?? "", KILL_SPIN_FLAG: spinFlag },
  owner: `matrix-${process.pid}`,
});

writeFileSync(spinFlag, "");

const start = (job: string, params: object, timeoutMs: number): RunningAttempt =>
  lane.start(claimed(job, params, timeoutMs));

/** Its code has begun to run, be it that of its import. */
async function untilBegun(attempt: RunningAttempt): Promise<void> {
  const importsBefore = statSync(spinFlag).size;
  let isEnded = false;
  attempt.ended.then(
    () => {
      isEnded = true;
    },
    () => undefined,
  );
  while (!isEnded && (await attempt.inspect()).vars === null) {
    if (statSync(spinFlag).size > importsBefore) return;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

let cases = 0;

async function runCase(given: LaneCase): Promise<LaneResult> {
  cases += 1;
  const path = join(folder, String(cases));
  const isTimeout = given.ending === "timeout";
  const startedMs = performance.now();
  const attempt = start(given.job, { do: given.do, path }, isTimeout ? given.timeoutMs : 60_000);
  let sinceMs = startedMs + given.timeoutMs;
  if (!isTimeout) {
    await untilBegun(attempt);
    sinceMs = performance.now();
    attempt.stop("cancel");
  }
  const end = await attempt.ended;
  const endedAfterMs = Math.round(performance.now() - sinceMs);
  const gone = await attempt.gone;
  return { end, gone, endedAfterMs, path, isSiblingAlive: (await siblingState()) === "alive" };
}

/** Runs beside all cases and must not notice any of them. */
let sibling: RunningAttempt | null = null;

function siblingState(): Promise<string> {
  if (sibling === null) return Promise.resolve("none");
  return Promise.race([sibling.ended.then(({ outcome }) => outcome), Promise.resolve("alive")]);
}

/** The first start of a process on a busy machine may take longer than a case's timeout. */
async function warmUp(job: string): Promise<RunningAttempt> {
  const waiting = start(job, { do: "a promise that never settles", path: "" }, 3_600_000);
  await untilBegun(waiting);
  await start(job, { do: "stack overflow", path: "" }, 60_000).gone;
  return waiting;
}

// The process that asked is gone, perhaps in the middle of a case.
process.stdin.on("end", () => process.exit(0));
for await (const line of createInterface(process.stdin)) {
  const given = JSON.parse(line) as LaneCase;
  sibling ??= await warmUp(given.job.endsWith("thread") ? "on-thread" : "in-process");
  console.log(JSON.stringify(await runCase(given)));
}
process.exit(0);
