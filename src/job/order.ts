// Writes the order by which a job worker gets its attempt.
import type { ClaimedTask } from "../core/task.ts";
import type { PooledJob } from "./pool.ts";
import type { AttemptOrder } from "./protocol.ts";

interface Ordered {
  readonly task: ClaimedTask;
  readonly job: PooledJob;
  readonly id: number;
  readonly params: string;
  readonly timeoutMs: number;
}

/** `startedMs` is on the clock of `performance.now()`: the time for the hand-over is the attempt's own. */
export function orderOf(attempt: Ordered, startedMs: number): AttemptOrder {
  const { task, job, id, params, timeoutMs } = attempt;
  return {
    kind: "attempt",
    id,
    params,
    taskId: task.taskId,
    taskNo: task.taskNo,
    attempt: task.attempt,
    maxAttempts: 1 + task.retry.total,
    deadline: Math.round(Date.now() - (performance.now() - startedMs) + timeoutMs),
    memoryMb: job.memoryMb ?? null,
  };
}
