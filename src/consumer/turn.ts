// One turn of a consumer: writes the attempts that ended, claims as many tasks as there are free slots.

import type { AttemptEnd, AttemptLane } from "../core/attempt.ts";
import { messageOf } from "../core/errors.ts";
import type { Logger } from "../core/logger.ts";
import type { Lane } from "../core/task.ts";
import type { ClaimRequest, Finish, Store, TurnResult } from "../store/store.ts";
import { fieldsOf } from "./leases.ts";
import { finishOf, type OwnedAttempt } from "./owned.ts";

/** A turn writes at most this many ends, and claims no more, so that ends never pile up; the rest is for the next one. */
const MOST_PER_TURN = 1_000;

export interface TurnDeps {
  readonly store: Pick<Store, "tasks">;
  readonly lane: Lane;
  readonly serviceId: string;
  readonly leaseMs: number;
  /** Its jobs and limits are asked for at every claim. */
  readonly attempts: Pick<AttemptLane, "jobs" | "claimLimits">;
  readonly logger: Logger;
}

export interface TurnTaken {
  /** More attempts have ended than it wrote. */
  readonly moreEnded: boolean;
  readonly result: TurnResult;
  /** Monotonic ms until which the claimed leases are surely valid. */
  readonly validUntil: number;
}

/**
 * Takes one turn. Rejects when the database cannot be reached; then nothing is known to be written and the same
 * attempts are offered again at the next turn: a fence makes the second writing harmless.
 * @param ended attempts whose end is decided and not yet written
 * @param coroutineIds one number per free slot; empty claims nothing
 */
export async function takeTurn(
  deps: TurnDeps,
  ended: readonly OwnedAttempt[],
  coroutineIds: readonly number[],
): Promise<TurnTaken | null> {
  const batch = ended.slice(0, MOST_PER_TURN);
  if (batch.length === 0 && coroutineIds.length === 0) return null;
  const finishes = batch.flatMap((owned) => toFinish(owned, deps.serviceId));
  const slots = coroutineIds.slice(0, MOST_PER_TURN);
  const claim = slots.length === 0 ? null : claimRequest(deps, slots);
  const sentAt = performance.now();
  const result = await deps.store.tasks.turn(finishes, claim);
  noteWritten(batch, result, deps.logger);
  const moreEnded = ended.length > batch.length;
  return { result, validUntil: sentAt + deps.leaseMs, moreEnded };
}

function toFinish(owned: OwnedAttempt, serviceId: string): Finish[] {
  const options = { serviceId, random: Math.random };
  return owned.end === undefined ? [] : [finishOf(owned, owned.end, options)];
}

function claimRequest(deps: TurnDeps, coroutineIds: readonly number[]): ClaimRequest {
  const { lane, serviceId, leaseMs, attempts } = deps;
  const limits = attempts.claimLimits?.();
  return { lane, serviceId, leaseMs, jobs: attempts.jobs, coroutineIds, ...(limits && { limits }) };
}

function noteWritten(batch: readonly OwnedAttempt[], result: TurnResult, logger: Logger): void {
  const valid = new Set(result.finished.map(({ attemptId }) => attemptId));
  for (const owned of batch) {
    owned.written = true;
    const isStale = !valid.has(owned.lease.attemptId);
    if (isStale) owned.held = false;
    logEnd(owned, isStale, logger);
  }
}

function logEnd(owned: OwnedAttempt, isStale: boolean, logger: Logger): void {
  if (isStale) {
    logger.warn(fieldsOf(owned), "a stale fence was refused: the attempt had been taken over");
    return;
  }
  logger.info({ ...fieldsOf(owned), ...summary(owned.end) }, "attempt ended");
}

function summary(end: AttemptEnd | undefined): Record<string, unknown> {
  if (end === undefined) return {};
  return { outcome: end.outcome, ...(end.error?.reason ? { reason: end.error.reason } : {}) };
}

/** The log line for a turn that could not be taken. */
export function logTurnFailure(logger: Logger, thrown: unknown, failures: number): void {
  if (failures > 1 && failures % 30 !== 0) return;
  logger.error(
    { err: messageOf(thrown), failures },
    "the database did not take the turn; it is repeated",
  );
}
