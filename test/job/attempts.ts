// Opens job lanes on the fixture jobs and starts attempts in them, for the tests of this folder.
import { afterAll } from "bun:test";
import { fileURLToPath } from "node:url";
import type { AttemptEnd, KillReceipt, RunningAttempt } from "../../src/core/attempt.ts";
import { createJobLane, type JobLane } from "../../src/job/job-lane.ts";
import { claimed, silent } from "../support/claimed-task.ts";
import { patienceMs } from "../support/patience.ts";

export const fixtureJobs = fileURLToPath(new URL("../jobs", import.meta.url));

/** A lane that is closed after the tests of the file. */
export async function openLane({
  jobsDir = fixtureJobs,
  slots = 2,
  env = {},
} = {}): Promise<JobLane> {
  const lane = await createJobLane({ jobsDir, slots, logger: silent, env });
  afterAll(() => lane.close());
  return lane;
}

/** Starts the fixture job `action`. */
export function start(
  lane: JobLane,
  action: string,
  { value, timeoutMs }: { value?: unknown; timeoutMs?: number } = {},
): RunningAttempt {
  return lane.start(claimed("action", { do: action, value }, timeoutMs));
}

export interface Finished {
  readonly end: AttemptEnd;
  readonly receipt: KillReceipt;
  /** From the start to `ended`. */
  readonly endedMs: number;
  /** From the start to `gone`. */
  readonly goneMs: number;
}

/** Waits for an attempt's end and for its death. */
export async function finish(attempt: RunningAttempt): Promise<Finished> {
  const startedMs = performance.now();
  const end = await attempt.ended;
  const endedMs = performance.now() - startedMs;
  const receipt = await attempt.gone;
  return { end, endedMs, receipt, goneMs: performance.now() - startedMs };
}

/** Asks again and again until it is so; throws when patience ends. */
export async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  const deadlineMs = performance.now() + patienceMs();
  while (!(await isSo())) {
    if (performance.now() > deadlineMs) throw new Error(`never so: ${isSo.toString()}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}
