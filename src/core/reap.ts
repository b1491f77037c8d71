// Returns the tasks of executors that are gone: those whose lease expired, and those of an executor known to be dead.
import type { Finish, LeaseReference, OrphanedAttempt, Store } from "../store/store.ts";
import type { AttemptEnd } from "./attempt.ts";
import { fingerprintOf } from "./fingerprint.ts";
import { decideNext, isPoison } from "./outcome.ts";

const BATCH = 500;

/** Ends attempts whose lease expired as `lost`; a lease renewed meanwhile wins. Answers how many were returned. */
export async function reapExpired(store: Pick<Store, "tasks">): Promise<number> {
  const orphans = await store.tasks.expired(BATCH);
  if (orphans.length === 0) return 0;
  const finishes = orphans.map((orphan) => finishOf(orphan, lost(orphan, "its lease expired")));
  return (await store.tasks.settle(finishes, true)).length;
}

/** Why a dead executor's attempts ended: it died by itself, or it was killed for the sake of `guilty` attempts only. */
export type DeathCause = "died" | "killed";

export interface ProvenDeath {
  readonly cause: DeathCause;
  /** Ms since it was proven; default 0. */
  readonly provenAgoMs?: number;
}

/**
 * Takes over the tasks of an executor that is proven dead, and lets go of what it held.
 * `died`: its attempts are `lost`. `killed` (by us, for one that could not be killed alone): they are `interrupted`.
 */
export async function takeOver(
  store: Pick<Store, "tasks" | "executors">,
  serviceId: string,
  { cause, provenAgoMs = 0 }: ProvenDeath,
): Promise<LeaseReference[]> {
  const returned: LeaseReference[] = [];
  for (;;) {
    const orphans = (await store.tasks.runningOf(serviceId)).slice(0, BATCH);
    const finishes = orphans.map((orphan) => finishOf(orphan, endOf(orphan, cause)));
    const settled = finishes.length === 0 ? [] : await store.tasks.settle(finishes, false);
    returned.push(...settled);
    if (settled.length === 0) break;
  }
  await store.executors.bury(serviceId, provenAgoMs);
  return returned;
}

function endOf(orphan: OrphanedAttempt, cause: DeathCause): AttemptEnd {
  return cause === "died" ? lost(orphan, "its executor died") : { outcome: "interrupted" };
}

function lost(orphan: OrphanedAttempt, why: string): AttemptEnd {
  const poison = isPoison(orphan);
  const message = poison ? `${why}, for the third time in this life: failed as poison` : why;
  const error = { name: "AttemptLost", message, reason: poison ? "poison" : "lost" };
  return { outcome: "lost", error: { ...error, fingerprint: fingerprintOf(error, null) } };
}

function finishOf(orphan: OrphanedAttempt, end: AttemptEnd): Finish {
  return { ...reference(orphan), end, ...decideNext(end, orphan, noJitter) };
}

/** What is lost or interrupted comes back at once: no delay is ever drawn here. */
function noJitter(): number {
  return 0;
}

function reference({ taskId, attemptId, fence }: LeaseReference): LeaseReference {
  return { taskId, attemptId, fence };
}
