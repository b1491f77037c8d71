// Returns the tasks of executors that are gone: those whose lease expired, and those of an executor known to be dead.

import type { AttemptEnd, AttemptError, AttemptTrace, KillReceipt } from "../core/attempt.ts";
import type { EndedAttempt } from "../core/attempt-log.ts";
import { failpoint } from "../core/failpoints.ts";
import { fingerprintOf } from "../core/fingerprint.ts";
import type { FindPlace } from "../core/last-place.ts";
import { decideNext, isPoison } from "../core/outcome.ts";
import type { Finish, LeaseReference, OrphanedAttempt, Store } from "../store/store.ts";
import { lastSeenOf } from "./last-seen.ts";

const BATCH = 500;

/** Hears how an attempt ended that was returned. */
export type OnEnd = (ended: EndedAttempt) => void;

interface ReapOptions {
  readonly findPlace?: FindPlace;
  readonly onEnd?: OnEnd;
}

/**
 * Ends attempts whose lease expired as `lost`; a lease renewed meanwhile wins. Nobody has seen them die: their receipts
 * are no proof. Resolves to the number of tasks that were returned.
 */
export async function reapExpired(
  store: Pick<Store, "tasks" | "attempts" | "now">,
  { findPlace, onEnd }: ReapOptions = {},
): Promise<number> {
  const orphans = await store.tasks.expired(BATCH);
  if (orphans.length === 0) return 0;
  const lastSeen = await lastSeenOf(store, orphans, { findPlace });
  const at = await store.now();
  const receipt = { killed: false, method: "none", latencyMs: 0, at } as const;
  const finishes = orphans.map((orphan) => {
    const trace = lastSeen.get(orphan.attemptId);
    const why = lossOf(orphan, "its lease expired");
    return finishOf(orphan, endOf({ ...why, receipt, trace }));
  });
  const settled = await store.tasks.settle(finishes, true);
  failpoint("expired-reaped");
  reportEnds({ orphans, finishes, settled }, onEnd);
  return settled.length;
}

interface Returned {
  readonly orphans: readonly OrphanedAttempt[];
  readonly finishes: readonly Finish[];
  readonly settled: readonly LeaseReference[];
}

function reportEnds(
  { orphans, finishes, settled }: Returned,
  onEnd: OnEnd = () => undefined,
): void {
  const written = new Set(settled.map(({ attemptId }) => attemptId));
  for (const [index, orphan] of orphans.entries()) {
    const end = finishes[index]?.end;
    if (end === undefined || !written.has(orphan.attemptId)) continue;
    onEnd({ ...orphan, maxAttempts: 1 + orphan.retry.total, ms: orphan.ageMs, end });
  }
}

/** Why a dead executor's attempts ended: it died by itself, or it was killed for the sake of `guilty` attempts only. */
export type DeathCause = "died" | "killed";

export interface ProvenDeath {
  readonly cause: DeathCause;
  /** Ms since it was proven; default 0. */
  readonly provenAgoMs?: number;
  /** Ms from the death, or from the decision to kill, to the proof; default 0. */
  readonly latencyMs?: number;
  /** What it left behind on this machine. */
  readonly findPlace?: FindPlace;
  readonly onEnd?: OnEnd;
}

/**
 * Takes over the tasks of an executor that is proven dead, and lets go of what it held.
 * `died`: its attempts are `lost`. `killed` (by us, for one that could not be killed alone): they are `interrupted`.
 */
export async function takeOver(
  store: Pick<Store, "tasks" | "executors" | "attempts" | "now">,
  serviceId: string,
  death: ProvenDeath,
): Promise<LeaseReference[]> {
  const returned: LeaseReference[] = [];
  for (;;) {
    const orphans = (await store.tasks.runningOf(serviceId)).slice(0, BATCH);
    const finishes = await finishesOf(store, orphans, death);
    const settled = finishes.length === 0 ? [] : await store.tasks.settle(finishes, false);
    if (settled.length > 0) failpoint("dead-taken-over");
    reportEnds({ orphans, finishes, settled }, death.onEnd);
    returned.push(...settled);
    if (settled.length === 0) break;
  }
  await store.executors.declareDead(serviceId, death.provenAgoMs);
  return returned;
}

async function finishesOf(
  store: Pick<Store, "attempts" | "now">,
  orphans: readonly OrphanedAttempt[],
  { cause, provenAgoMs = 0, latencyMs = 0, findPlace }: ProvenDeath,
): Promise<Finish[]> {
  const diedAgoMs = provenAgoMs + (cause === "died" ? latencyMs : 0);
  const lastSeen = await lastSeenOf(store, orphans, { diedAgoMs, findPlace });
  const at = orphans.length === 0 ? 0 : (await store.now()) - provenAgoMs;
  const receipt = { killed: true, method: "executor", latencyMs, at } as const;
  return orphans.map((orphan) => {
    const trace = lastSeen.get(orphan.attemptId);
    const why = cause === "killed" ? SACRIFICED : lossOf(orphan, "its executor died");
    return finishOf(orphan, endOf({ ...why, receipt, trace }));
  });
}

/** Why an attempt ended with its executor. */
interface Loss {
  readonly outcome: "lost" | "interrupted";
  readonly error: AttemptError;
}

const SACRIFICED: Loss = interruption("its executor was killed for the sake of another attempt");
const STOPPED: Loss = interruption("its executor was told to stop, and ended before the attempt");

function interruption(message: string): Loss {
  const error = { name: "AttemptInterrupted", message, reason: "interrupted" };
  return { outcome: "interrupted", error };
}

/** What was told to stop and is gone did as it was told: the task is not to blame. */
function lossOf(orphan: OrphanedAttempt, why: string): Loss {
  if (orphan.wasTold) return STOPPED;
  const poison = isPoison(orphan);
  const message = poison ? `${why}, for the third time in this life: failed as poison` : why;
  const reason = poison ? "poison" : "lost";
  return { outcome: "lost", error: { name: "AttemptLost", message, reason } };
}

interface Ended extends Loss {
  readonly receipt: KillReceipt;
  readonly trace: AttemptTrace | undefined;
}

function endOf({ outcome, error, receipt, trace }: Ended): AttemptEnd {
  const { reason = outcome } = error;
  return {
    outcome,
    error: { ...error, fingerprint: fingerprintOf(error, null) },
    receipt: { ...receipt, stack: trace?.view?.frames ?? [], reason, by: "executor" },
    ...(trace !== undefined && { trace }),
  };
}

function finishOf(orphan: OrphanedAttempt, end: AttemptEnd): Finish {
  const finish = { ...reference(orphan), end, ...decideNext(end, orphan, noJitter) };
  return orphan.wasTold && end.outcome === "interrupted"
    ? { ...finish, diedStopping: true }
    : finish;
}

/** What is lost or interrupted comes back at once: no delay is ever drawn here. */
function noJitter(): number {
  return 0;
}

function reference({ taskId, attemptId, fence }: LeaseReference): LeaseReference {
  return { taskId, attemptId, fence };
}
