// Why a pending task does not run yet, as far as that is truly known.
import { type JobHolders, nobodyHas } from "./job-holders.ts";
import type { Task } from "./task.ts";
import { formatInstant } from "./timestamps.ts";
import type { WaitingReason } from "./views/task-detail.ts";

interface Known {
  readonly nowMs: number;
  readonly timezone: string;
  /** Of its job; of any executor for a callback. */
  readonly holders: JobHolders;
}

/** Null for a task that is not pending. What holds it up now comes first. */
export function waitingReason(task: Task, known: Known): WaitingReason | null {
  const { nowMs, timezone, holders } = known;
  if (task.status !== "pending") return null;
  const runAt = formatInstant(task.runAt, timezone);
  if (task.runAt > nowMs && task.attempt > 0) {
    return {
      code: "retry_backoff",
      text: `attempt ${task.attempt} ended; the next is due at ${runAt}`,
    };
  }
  if (task.runAt > nowMs) return { code: "scheduled", text: `it is due at ${runAt}` };
  if (task.heldBy !== null && task.heldBy !== undefined) {
    const text = `something of its last attempt may still run on ${task.heldBy}; it starts when that is proven dead`;
    return { code: "held", text };
  }
  if (holders.kind === "none") {
    return { code: "no_executor", text: nobodyHas(task.job, holders, timezone) };
  }
  return {
    code: "due",
    text: `it has been due since ${runAt} and waits for an executor to take it`,
  };
}
