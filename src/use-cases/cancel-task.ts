// The use case of cancelling a task: durable first, then hurried over the bus, then proven by the store.

import type { Bus } from "../bus/bus.ts";
import type { KillReceipt } from "../core/attempt.ts";
import { messageOf } from "../core/errors.ts";
import { failpoint } from "../core/failpoints.ts";
import type { LiveAnswer } from "../core/live.ts";
import type { Logger } from "../core/logger.ts";
import { askStore } from "../core/store-answer.ts";
import type { TaskStatus } from "../core/task.ts";
import { delay } from "../core/within.ts";
import type { SignedChange, Store, TaskDetail } from "../store/store.ts";

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
  | { readonly kind: "killed"; readonly receipt: KillReceipt }
  /** Asked to die, not proven dead within the wait; it goes on. */
  | { readonly kind: "killing" };

/** How a running attempt is to end. */
export interface CancelManner {
  /** `kill`: signal and terminate at once. `graceful`: it may end by itself for most of the wait. */
  readonly mode: "kill" | "graceful";
  /** How long the answer waits for the proof that a running attempt is dead. */
  readonly waitMs: number;
}

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
/** What a graceful cancel keeps of its wait for the kill and its proof. */
const KILL_RESERVE_MS = 500;

/**
 * Cancels for good: the request is in the database before anything else happens, so it survives a lost bus, a retry and
 * the death of any process. Only the store's word decides between cancelled and completed.
 * Throws AppError `unavailable`.
 */
export async function cancelTask(
  deps: CancelDeps,
  change: SignedChange,
  manner: CancelManner,
): Promise<CancelAnswer> {
  const graceMs = graceOf(manner);
  const result = await askStore(() => deps.store.tasks.cancel(change, graceMs));
  failpoint("cancel-committed");
  if (result.kind !== "requested") return result;
  return awaitDeath(deps, result.task, { waitMs: manner.waitMs, graceMs });
}

/** How long the attempt may end by itself, so that the kill after it still fits into the wait. */
function graceOf({ mode, waitMs }: CancelManner): number {
  if (mode === "kill") return 0;
  return Math.round(waitMs - Math.min(KILL_RESERVE_MS, waitMs / 4));
}

interface Wait {
  readonly waitMs: number;
  readonly graceMs: number;
}

async function awaitDeath(deps: CancelDeps, asked: TaskDetail, wait: Wait): Promise<CancelAnswer> {
  const deadline = performance.now() + wait.waitMs;
  const hurry = hurryExecutor(deps, asked, wait);
  for (;;) {
    const verdict = verdictOf(await look(deps, asked), hurry);
    if (verdict !== undefined) return verdict;
    const leftMs = deadline - performance.now();
    if (leftMs <= 0) return { kind: "killing" };
    await nextLook(hurry, leftMs);
  }
}

function hurryExecutor(deps: CancelDeps, asked: TaskDetail, { waitMs, graceMs }: Wait): Hurry {
  const { task, latest } = asked;
  const question = { kind: "cancel", taskId: task.id, fence: task.fence, graceMs } as const;
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
  const { task } = detail;
  if (task.status === "succeeded" || task.status === "failed") {
    return { kind: "finished", status: task.status };
  }
  return proofOf(detail, hurry);
}

/** The task is cancelled; is its attempt dead? */
function proofOf({ task, latest }: TaskDetail, hurry: Hurry): CancelAnswer | undefined {
  const receipt = hurry.receipt?.killed ? hurry.receipt : latest?.receipt;
  const wasCancelled = latest?.outcome === "cancelled";
  if (receipt?.killed && (wasCancelled || receipt.method !== "none")) {
    return { kind: "killed", receipt };
  }
  // An attempt that ended by itself, or was lost, needed no kill: only the next one was called off.
  const isPast = receipt?.killed !== false || latest?.outcome === "lost";
  const endedByItself = wasCancelled && !receipt && !task.heldBy;
  if ((!wasCancelled && isPast) || endedByItself) return { kind: "cancelled" };
  // Its executor cannot end it and is being replaced: the proof comes when that one is declared dead.
  if (task.heldBy) return undefined;
  return hurry.isAnswered ? { kind: "killing" } : undefined;
}

async function nextLook(hurry: Hurry, leftMs: number): Promise<void> {
  // Without proof it takes the death of an executor: seconds, not milliseconds.
  const pollMs = hurry.receipt?.killed === false ? POLL_MS : FINAL_POLL_MS;
  if (hurry.isAnswered) return delay(Math.min(pollMs, leftMs));
  await Promise.race([hurry.answered, delay(Math.min(POLL_MS, leftMs))]);
}
