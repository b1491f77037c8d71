// The use case of looking at a task's attempts one by one, with what each left behind.

import { parseExact } from "../core/exact-json.ts";
import { receiptView } from "../core/receipt-view.ts";
import { askStore } from "../core/store-answer.ts";
import type { AttemptListView, FullAttemptView } from "../core/views/attempt.ts";
import type { Autopsy } from "../core/views/autopsy.ts";
import type { Attempt } from "../store/attempt-store.ts";
import type { Store, TaskReference } from "../store/store.ts";
import { autopsyOf, hasAutopsy } from "./autopsy.ts";
import { attemptView } from "./task-detail.ts";

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
): Promise<AttemptListView | undefined> {
  const detail = await askStore(() => deps.store.tasks.find(reference));
  if (detail === undefined) return undefined;
  const attempts = await askStore(() => deps.store.attempts.list(detail.task.id, MOST_ATTEMPTS));
  const autopsies = await examineAll(deps, attempts);
  const views = attempts.map((attempt) => fullView(attempt, autopsies.get(attempt.id) ?? null));
  return { attempts: views };
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
    receipt: receipt ? receiptView(receipt) : null,
    autopsy,
    result: result === null ? null : parseExact(result),
    delivery,
  };
}
