// The use case of cancelling a task: durable first, then hurried over the bus, then proven by the store.
import { setTimeout as delay } from "node:timers/promises";
import type { Bus } from "../bus/bus.ts";
import type { Attempt, SignedChange, Store, TaskDetail } from "../store/store.ts";
import type { KillReceipt } from "./attempt.ts";
import { messageOf } from "./errors.ts";
import type { LiveAnswer } from "./live.ts";
import type { Logger } from "./logger.ts";
import { askStore } from "./store-answer.ts";
import type { TaskStatus } from "./task.ts";

export interface CancelDeps {
  readonly store: Pick<Store, "tasks">;
  readonly bus: Pick<Bus, "ask">;
  readonly logger: Logger;
}

export type CancelAnswer =
  | { readonly kind: "unknown" }
  /** The nonce was used before: to be answered as unauthorised. */
  | { readonly kind: "replayed" }
  /** It had ended before, or ended by itself before the kill. */
  | { readonly kind: "finished"; readonly status: TaskStatus }
  /** It never starts (again). */
  | { readonly kind: "cancelled" }
  /** It ran, and is proven dead. */
  | ({ readonly kind: "killed" } & Omit<KillReceipt, "killed">)
  /** Asked to die, not proven dead within the wait; it goes on. */
  | { readonly kind: "killing" };

/** What the executor said when it was asked to hurry. */
interface Hurry {
  readonly answered: Promise<void>;
  isAnswered: boolean;
  receipt: KillReceipt | undefined;
}

const POLL_MS = 100;
/** After the executor's answer the end is about to be committed. */
const FINAL_POLL_MS = 20;
const LEAST_ASK_MS = 1_000;

/**
 * Cancels for good: the request is in the database before anything else happens, so it survives a lost bus, a retry and
 * the death of any process. Only the store's word decides between cancelled and completed.
 * Throws AppError `unavailable`.
 * @param waitMs how long to wait for the proof that a running attempt is dead
 */
export async function cancelTask(
  deps: CancelDeps,
  change: SignedChange,
  waitMs: number,
): Promise<CancelAnswer> {
  const result = await askStore(() => deps.store.tasks.cancel(change));
  if (result.kind !== "requested") return result;
  return awaitDeath(deps, result.task, waitMs);
}

async function awaitDeath(
  deps: CancelDeps,
  asked: TaskDetail,
  waitMs: number,
): Promise<CancelAnswer> {
  const deadline = performance.now() + waitMs;
  const hurry = hurryExecutor(deps, asked, waitMs);
  for (;;) {
    const verdict = verdictOf(await look(deps, asked), hurry);
    if (verdict !== undefined) return verdict;
    const leftMs = deadline - performance.now();
    if (leftMs <= 0) return { kind: "killing" };
    await nextLook(hurry, leftMs);
  }
}

function hurryExecutor(deps: CancelDeps, { task, latest }: TaskDetail, waitMs: number): Hurry {
  const question = { kind: "cancel", taskId: task.id, fence: task.fence } as const;
  const timeoutMs = Math.max(waitMs, LEAST_ASK_MS);
  const asking =
    latest === null
      ? Promise.resolve(undefined)
      : deps.bus.ask(latest.serviceId, question, timeoutMs);
  const note = (answer: LiveAnswer | undefined) => {
    hurry.isAnswered = true;
    if (answer?.kind === "receipt") hurry.receipt = answer.receipt;
  };
  const answered = asking.then(note, (thrown: unknown) => {
    note(undefined);
    deps.logger.warn(
      { task_id: task.id, error: messageOf(thrown) },
      "the executor could not be asked to cancel; it finds the request by itself",
    );
  });
  const hurry: Hurry = { answered, isAnswered: false, receipt: undefined };
  return hurry;
}

/** Undefined when the store cannot say now; the request is durable, so looking again is all there is to do. */
async function look(deps: CancelDeps, { task }: TaskDetail): Promise<TaskDetail | undefined> {
  try {
    return await deps.store.tasks.find({ applicationId: task.applicationId, id: task.id });
  } catch (thrown) {
    const fields = { task_id: task.id, error: messageOf(thrown) };
    deps.logger.warn(fields, "could not look whether a cancelled task is dead; looking again");
    return undefined;
  }
}

/** Undefined: not decided yet. */
function verdictOf(detail: TaskDetail | undefined, hurry: Hurry): CancelAnswer | undefined {
  if (detail === undefined || detail.task.status === "running") return undefined;
  const { task, latest } = detail;
  if (task.status === "succeeded" || task.status === "failed") {
    return { kind: "finished", status: task.status };
  }
  return proofOf(latest, hurry);
}

/** The task is cancelled; is its attempt dead? */
function proofOf(latest: Attempt | null, hurry: Hurry): CancelAnswer | undefined {
  const receipt = hurry.receipt?.killed ? hurry.receipt : latest?.receipt;
  const wasCancelled = latest?.outcome === "cancelled";
  if (receipt?.killed && (wasCancelled || receipt.method !== "none")) {
    const { killed: _, ...proof } = receipt;
    return { kind: "killed", ...proof };
  }
  // An attempt that ended by itself needed no kill: only the next one was called off.
  if (!wasCancelled && receipt?.killed !== false) return { kind: "cancelled" };
  return hurry.isAnswered ? { kind: "killing" } : undefined;
}

async function nextLook(hurry: Hurry, leftMs: number): Promise<void> {
  if (hurry.isAnswered) return delay(Math.min(FINAL_POLL_MS, leftMs));
  await Promise.race([hurry.answered, delay(Math.min(POLL_MS, leftMs))]);
}
