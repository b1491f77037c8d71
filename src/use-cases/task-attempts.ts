// The use case of looking at a task's attempts one by one, with what each left behind.

import type { KillReceipt } from "../core/attempt.ts";
import type { DeliveryLog } from "../core/delivery-log.ts";
import { parseExact } from "../core/exact-json.ts";
import { askStore } from "../core/store-answer.ts";
import type { Attempt } from "../store/attempt-store.ts";
import type { Store, TaskReference } from "../store/store.ts";
import { type Autopsy, autopsyOf, hasAutopsy } from "./autopsy.ts";
import { type AttemptView, attemptView } from "./task-detail.ts";

/** An attempt with all that is kept of it. */
export interface FullAttemptView extends AttemptView {
  readonly fence: number;
  readonly coroutine_id: number;
  readonly receipt: KillReceipt | null;
  /** Of one that did not end by itself. */
  readonly autopsy: Autopsy | null;
  /** What the job returned. */
  readonly result: unknown;
  /** Of a callback: what went over the wire. */
  readonly delivery: DeliveryLog | null;
}

interface AttemptsDeps {
  readonly store: Pick<Store, "tasks" | "attempts">;
}

const MOST_ATTEMPTS = 100;
/** Of all autopsies of one answer, about; the newest come first, the others tell only why and by whom. */
const MOST_AUTOPSY_BYTES = 4 * 1024 * 1024;

/**
 * The newest attempts of all lives, oldest first; undefined when the application has no such task.
 * Throws AppError `unavailable`.
 */
export async function taskAttempts(
  deps: AttemptsDeps,
  reference: TaskReference,
): Promise<FullAttemptView[] | undefined> {
  const detail = await askStore(() => deps.store.tasks.find(reference));
  if (detail === undefined) return undefined;
  const attempts = await askStore(() => deps.store.attempts.list(detail.task.id, MOST_ATTEMPTS));
  const autopsies = await examineAll(deps, attempts);
  return attempts.map((attempt) => fullView(attempt, autopsies.get(attempt.id) ?? null));
}

async function examineAll(
  { store }: AttemptsDeps,
  attempts: readonly Attempt[],
): Promise<ReadonlyMap<number, Autopsy>> {
  const found = new Map<number, Autopsy>();
  let left = MOST_AUTOPSY_BYTES;
  for (const attempt of attempts.filter(hasAutopsy).reverse()) {
    const kept = left > 0 ? await askStore(() => store.attempts.trace(attempt.id)) : null;
    const autopsy = autopsyOf(attempt, kept);
    found.set(attempt.id, autopsy);
    left -= JSON.stringify(autopsy).length;
  }
  return found;
}

function fullView(attempt: Attempt, autopsy: Autopsy | null): FullAttemptView {
  const { fence, coroutineId, receipt, result, delivery } = attempt;
  return {
    ...attemptView(attempt),
    fence,
    coroutine_id: coroutineId,
    receipt: receipt ?? null,
    autopsy,
    result: result === null ? null : parseExact(result),
    delivery,
  };
}
