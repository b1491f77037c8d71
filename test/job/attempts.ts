// Opens job lanes on the fixture jobs and starts attempts in them, for the tests of this folder.
import { afterAll } from "bun:test";
import { fileURLToPath } from "node:url";
import { createJobLane, type JobLane } from "../../src/consumer/job-lane.ts";
import type { AttemptEnd, KillReceipt, RunningAttempt } from "../../src/core/attempt.ts";
import type { Logger } from "../../src/core/logger.ts";
import { linearRetry } from "../../src/core/retry-policy.ts";
import type { ClaimedTask } from "../../src/core/task.ts";

export const fixtureJobs = fileURLToPath(new URL("../jobs", import.meta.url));

export const silent: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

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

let tasks = 0;

/** A claimed task that calls `job` with `params`. */
export function claimed(job: string, params: unknown, timeoutMs = 5_000): ClaimedTask {
  tasks += 1;
  return {
    taskId: tasks,
    attemptId: tasks,
    fence: 1,
    taskNo: `no-${tasks}`,
    name: "test",
    lane: "job",
    job,
    content: JSON.stringify({ class: job, params }),
    timeoutMs,
    life: 1,
    attempt: 1,
    charged: 0,
    deaths: 0,
    retry: linearRetry(5, 5),
    coroutineId: tasks,
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
}

/** Waits for an attempt's end and for its death. */
export async function finish(attempt: RunningAttempt): Promise<Finished> {
  const startedMs = performance.now();
  const end = await attempt.ended;
  const endedMs = performance.now() - startedMs;
  return { end, endedMs, receipt: await attempt.gone };
}

/** Asks again and again until it is so; throws after 5 s. */
export async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  const deadlineMs = performance.now() + 5_000;
  while (!(await isSo())) {
    if (performance.now() > deadlineMs) throw new Error(`not so after 5 s: ${isSo.toString()}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}
