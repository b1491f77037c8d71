// Writes the order by which a job worker gets its attempt.
import type { ClaimedTask } from "../../core/task.ts";
import type { ParamsField } from "../../core/task-content.ts";
import type { PooledJob } from "../host/pool.ts";
import type { AttemptOrder } from "../wire/protocol.ts";

/** A job worker that is still busy with a former attempt has this long before another one is taken. */
const ACCEPT_WITHIN_MS = { least: 100, most: 1_000 } as const;

/** Loaded only where it is needed: job workers start faster without it. */
const LATE_CHECK = new URL("../inside/late-check.ts", import.meta.url).href;

export interface JobAttemptOptions {
  readonly task: ClaimedTask;
  readonly job: PooledJob;
  /** JSON text. */
  readonly params: string;
  /** Where they were in the content, when the consumer could not finish checking them; null: it did. */
  readonly uncheckedField?: ParamsField | null;
  readonly timeoutMs: number;
  /** Of this attempt alone among all of this pool; below 2^31. */
  readonly id: number;
}

/** A third of the attempt's time, within limits. */
export function acceptWithinMs(timeoutMs: number): number {
  const { least, most } = ACCEPT_WITHIN_MS;
  return Math.min(most, Math.max(least, timeoutMs / 3));
}

/** `startedMs` is on the clock of `performance.now()`: the time for the hand-over is the attempt's own. */
export function orderOf(attempt: JobAttemptOptions, startedMs: number): AttemptOrder {
  const { task, job, id, params, uncheckedField, timeoutMs } = attempt;
  return {
    kind: "attempt",
    id,
    params,
    ...(uncheckedField && { lateCheck: { module: LATE_CHECK, field: uncheckedField } }),
    taskId: task.taskId,
    attemptId: task.attemptId,
    taskNo: task.taskNo,
    attempt: task.attempt,
    maxAttempts: 1 + task.retry.total,
    deadline: Math.round(Date.now() - (performance.now() - startedMs) + timeoutMs),
    memoryMb: job.memoryMb ?? null,
  };
}
