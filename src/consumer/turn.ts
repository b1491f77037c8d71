// One turn of a consumer: writes the attempts that ended, claims as many tasks as there are free slots.

import { randomBytes } from "node:crypto";
import type { AttemptEnd, AttemptLane } from "../core/attempt.ts";
import { type EndedAttempt, logAttemptEnd } from "../core/attempt-log.ts";
import { messageOf } from "../core/errors.ts";
import { failpoint } from "../core/failpoints.ts";
import type { Logger } from "../core/logger.ts";
import type { Lane } from "../core/task.ts";
import type { Finish, Store, TurnResult } from "../store/store.ts";
import { finishOf, type OwnedAttempt } from "./attempt-table.ts";
import { leaseFields } from "./leases.ts";
import type { Strays } from "./strays.ts";

/** A turn writes at most this many ends, and claims no more, so that ends never pile up; the rest is for the next one. */
const MOST_PER_TURN = 1_000;
const TOKEN_BYTES = 12;

export interface TurnDeps {
  readonly store: Pick<Store, "tasks" | "attempts">;
  readonly lane: Lane;
  readonly serviceId: string;
  readonly leaseMs: number;
  /** Its jobs and limits are asked for at every claim. */
  readonly attempts: Pick<AttemptLane, "jobs" | "claimLimits">;
  readonly logger: Logger;
  /** Told of a claim whose outcome is not known. */
  readonly strays: Pick<Strays, "suspect">;
}

export interface TurnTaken {
  /** More attempts have ended than it wrote. */
  readonly moreEnded: boolean;
  readonly result: TurnResult;
  /** Monotonic ms until which the claimed leases are surely valid. */
  readonly validUntil: number;
}

/**
 * Takes one turn. Rejects when the database cannot be reached; then nobody knows what is written. The same attempts are
 * offered again at the next turn: a fence makes the second writing harmless. What was claimed is for `strays` to find.
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
  const result = await deps.store.tasks.turn(finishes, claim).catch((thrown: unknown) => {
    for (const owned of batch) owned.offered = true;
    if (claim !== null) deps.strays.suspect(claim.turnToken);
    throw thrown;
  });
  if (result.claimed.length > 0) failpoint("claim-committed");
  if (result.finished.length > 0) failpoint("finish-committed");
  await noteWritten({ batch, finishes, result }, deps);
  const moreEnded = ended.length > batch.length;
  return { result, validUntil: sentAt + deps.leaseMs, moreEnded };
}

function toFinish(owned: OwnedAttempt, serviceId: string): Finish[] {
  const options = { serviceId, random: Math.random };
  return owned.end === undefined ? [] : [finishOf(owned, owned.end, options)];
}

function claimRequest(deps: TurnDeps, coroutineIds: readonly number[]) {
  const { lane, serviceId, leaseMs, attempts } = deps;
  const limits = attempts.claimLimits?.();
  const turnToken = randomBytes(TOKEN_BYTES).toString("hex");
  const claim = { lane, serviceId, leaseMs, jobs: attempts.jobs, coroutineIds, turnToken };
  return limits === undefined ? claim : { ...claim, limits };
}

interface Answered {
  readonly batch: readonly OwnedAttempt[];
  readonly finishes: readonly Finish[];
  readonly result: TurnResult;
}

async function noteWritten(answered: Answered, deps: TurnDeps): Promise<void> {
  const { batch, finishes, result } = answered;
  const ends = new Map(finishes.map(({ attemptId, end }) => [attemptId, end]));
  const valid = new Set(result.finished.map(({ attemptId }) => attemptId));
  const refused = batch.filter((owned) => !valid.has(owned.lease.attemptId));
  const written = await writtenBefore(refused, deps);
  for (const owned of batch) {
    owned.written = true;
    const isStale = refused.includes(owned) && !written.has(owned);
    const end = ends.get(owned.lease.attemptId);
    if (isStale) logStale(owned, deps.logger);
    else if (end !== undefined) logAttemptEnd(deps.logger, endedOf(owned, end));
  }
}

/** Those whose end was written by an earlier turn, the answer to which was lost. Never rejects. */
async function writtenBefore(
  refused: readonly OwnedAttempt[],
  { store }: TurnDeps,
): Promise<ReadonlySet<OwnedAttempt>> {
  const offered = refused.filter((owned) => owned.offered);
  if (offered.length === 0) return new Set();
  const ids = offered.map(({ lease }) => lease.attemptId);
  // Not known: better no warning than a wrong one.
  const outcomes = await store.attempts.outcomes(ids).catch(() => null);
  if (outcomes === null) return new Set(offered);
  // An executor that takes an attempt over ends it as one of these.
  const isForeign = (owned: OwnedAttempt) => {
    const outcome = outcomes.get(owned.lease.attemptId);
    return (
      outcome === undefined ||
      outcome === "lost" ||
      (outcome === "interrupted" && owned.end?.outcome !== outcome)
    );
  };
  return new Set(offered.filter((owned) => !isForeign(owned)));
}

function logStale(owned: OwnedAttempt, logger: Logger): void {
  owned.held = false;
  logger.warn(leaseFields(owned), "a stale fence was refused: the attempt had been taken over");
}

function endedOf({ running: { task }, beganMs }: OwnedAttempt, end: AttemptEnd): EndedAttempt {
  const { taskId, taskNo, job, attempt, application, retry } = task;
  const ms = performance.now() - beganMs;
  const whose = { taskId, taskNo, job, appKey: application.appKey };
  return { ...whose, attempt, maxAttempts: 1 + retry.total, ms, end };
}

/** The log line for a turn that could not be taken. */
export function logTurnFailure(logger: Logger, thrown: unknown, failures: number): void {
  if (failures > 1 && failures % 30 !== 0) return;
  logger.error(
    { error: messageOf(thrown), failures },
    "the database did not take the turn; it is repeated",
  );
}
