// The use case of ringing for a task by hand: a pending one is rung again, a failed or cancelled one begins a new life,
// and a succeeded one where that is forced.

import type { Logger } from "../core/logger.ts";
import { askStore } from "../core/store-answer.ts";
import type { TaskStatus } from "../core/task.ts";
import { newWebhookTag } from "../core/webhook-id.ts";
import type { Queue } from "../queue/queue.ts";
import type { SignedChange, Store } from "../store/store.ts";
import { ringAside } from "./bells.ts";

export interface RedeliverDeps {
  readonly store: Pick<Store, "tasks">;
  readonly queue: Pick<Queue, "ring">;
  readonly logger: Logger;
}

export type RedeliverAnswer =
  | { readonly kind: "unknown" }
  /** The nonce was used before: to be answered as unauthorised. */
  | { readonly kind: "replayed" }
  /** It is pending, again or still, and the doorbell rings. */
  | { readonly kind: "rung" }
  /** It runs, or has succeeded and nobody forces it. */
  | { readonly kind: "refused"; readonly status: TaskStatus };

/** Never waits for the bell. With `isForced` a succeeded one is taken too. Throws AppError `unavailable`. */
export async function redeliverTask(
  deps: RedeliverDeps,
  change: SignedChange,
  isForced = false,
): Promise<RedeliverAnswer> {
  const life = { webhookTag: newWebhookTag(), isForced };
  const result = await askStore(() => deps.store.tasks.redeliver(change, life));
  if (result.kind !== "pending" && result.kind !== "redelivered") return result;
  const dueInMs = result.kind === "pending" ? result.dueInMs : 0;
  const taskId = change.reference.id;
  ringAside(deps, { lane: result.lane, dueInMs, ...(taskId !== undefined && { taskId }) });
  return { kind: "rung" };
}
