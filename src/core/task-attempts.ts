// The use case of looking at a task's attempts one by one, with what each left behind.
import type { Attempt, Store, TaskReference } from "../store/store.ts";
import type { KillReceipt } from "./attempt.ts";
import type { DeliveryLog } from "./delivery-log.ts";
import { askStore } from "./store-answer.ts";
import { type AttemptView, attemptView } from "./task-detail.ts";

/** An attempt with all that is kept of it. */
export interface FullAttemptView extends AttemptView {
  readonly fence: number;
  readonly coroutine_id: number;
  readonly receipt: KillReceipt | null;
  /** What the job returned. */
  readonly result: unknown;
  /** Of a callback: what went over the wire. */
  readonly delivery: DeliveryLog | null;
}

const MOST_ATTEMPTS = 100;

/**
 * The newest attempts of all lives, oldest first; undefined when the application has no such task.
 * Throws AppError `unavailable`.
 */
export async function taskAttempts(
  { store }: { readonly store: Pick<Store, "tasks" | "attempts"> },
  reference: TaskReference,
): Promise<FullAttemptView[] | undefined> {
  const detail = await askStore(() => store.tasks.find(reference));
  if (detail === undefined) return undefined;
  const attempts = await askStore(() => store.attempts.list(detail.task.id, MOST_ATTEMPTS));
  return attempts.map(fullView);
}

function fullView(attempt: Attempt): FullAttemptView {
  const { fence, coroutineId, receipt, result, delivery } = attempt;
  return {
    ...attemptView(attempt),
    fence,
    coroutine_id: coroutineId,
    receipt: receipt ?? null,
    result: result === null ? null : (JSON.parse(result) as unknown),
    delivery,
  };
}
