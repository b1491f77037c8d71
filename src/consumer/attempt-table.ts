// The attempts a consumer owns, from claim until their end is written and nothing of them runs any more.

import type { AttemptEnd, KillReceipt, RunningAttempt } from "../core/attempt.ts";
import { failpoint } from "../core/failpoints.ts";
import { withFingerprint } from "../core/fingerprint.ts";
import { decideNext } from "../core/outcome.ts";
import { shiftEnd } from "../core/shift-times.ts";
import type { ClaimedTask } from "../core/task.ts";
import { within } from "../core/within.ts";
import type { Finish, LeaseReference } from "../store/store.ts";

/** An attempt that ended is usually gone at the same moment: waiting this long spares most a hold and a release. */
const REST_MS = 40;

/** One attempt of ours. The consumer's loop and its lease keeper share it; both run on one thread. */
export interface OwnedAttempt {
  readonly running: RunningAttempt;
  readonly lease: LeaseReference;
  /** Monotonic ms. */
  readonly beganMs: number;
  /** Of all its times: they are told as of the database's clock. */
  readonly clockOffsetMs: number;
  /** Monotonic ms; counted from before the statement was sent. */
  validUntil: number;
  /** Set when the outcome is decided. */
  end?: AttemptEnd;
  /** Set when it is known whether anything of it still runs. */
  gone?: KillReceipt;
  /** The end is in the store (or was refused there as stale). */
  written: boolean;
  /** Its end was in a turn of which nobody knows the outcome: it may be written already. */
  offered: boolean;
  /** It was written while something of it still ran: the task waits for proof of death. */
  held: boolean;
}

export interface FinishOptions {
  readonly serviceId: string;
  /** Uniform in [0, 1): draws delays where the retry policy has jitter. */
  readonly random: () => number;
}

/** What the turn writes for an attempt whose end is decided; notes whether its task must be held. */
export function finishOf(
  owned: OwnedAttempt,
  end: AttemptEnd,
  { serviceId, random }: FinishOptions,
): Finish {
  // A success too: a redelivery with force must not start beside what it left running.
  owned.held = owned.gone?.killed !== true;
  const { task } = owned.running;
  // The proof may have come after the end was decided.
  const proof = end.receipt?.killed === false && owned.gone?.killed ? { receipt: owned.gone } : {};
  const shifted = shiftEnd({ ...end, ...proof }, owned.clockOffsetMs);
  const told = withFingerprint(shifted, task);
  const finish = { ...owned.lease, end: told, ...decideNext(end, task, random) };
  return owned.held ? { ...finish, heldBy: serviceId } : finish;
}

/** What an attempt begins with. */
export type Grant = Pick<OwnedAttempt, "validUntil" | "clockOffsetMs">;

export interface OwnedAttempts {
  begin(running: RunningAttempt, grant: Grant): void;
  all(): readonly OwnedAttempt[];
  find(lease: { taskId: number; fence: number }): OwnedAttempt | undefined;
  /** Attempts of which something still runs: each takes a slot. */
  busy(): number;
  /** Lets go of what is written and gone; returns those whose tasks are held and may now be released. */
  settle(): OwnedAttempt[];
  /** True when nothing is owned any more, false when that did not happen within `graceMs`. */
  isIdleWithin(graceMs: number): Promise<boolean>;
}

export interface OwnedEvents {
  /** An attempt ended or is gone. */
  onChange(): void;
  /** Something of it still runs and cannot be ended from here. */
  onUnkillable(owned: OwnedAttempt): void;
  /** A lane broke its promise never to reject. */
  onDefect(thrown: unknown): void;
}

export function createOwnedAttempts(events: OwnedEvents): OwnedAttempts {
  const attempts = new Map<number, OwnedAttempt>();
  const idleWaiters = new Set<() => void>();

  function begin(running: RunningAttempt, grant: Grant): void {
    const lease = leaseOf(running.task);
    const owned: OwnedAttempt = {
      ...grant,
      running,
      lease,
      beganMs: performance.now(),
      written: false,
      offered: false,
      held: false,
    };
    attempts.set(lease.attemptId, owned);
    running.lease?.(grant.validUntil - performance.now());
    const gone = running.gone.then((receipt) => {
      owned.gone = receipt;
      if (!receipt.killed) events.onUnkillable(owned);
      events.onChange();
    });
    const ended = running.ended.then(async (end) => {
      if (owned.gone === undefined) await within(gone, REST_MS);
      owned.end = end;
      failpoint("attempt-ended");
      events.onChange();
    });
    Promise.all([ended, gone]).catch(events.onDefect);
  }

  function settle(): OwnedAttempt[] {
    const settled = [...attempts.values()].filter((owned) => owned.written && owned.gone);
    for (const owned of settled) attempts.delete(owned.lease.attemptId);
    if (attempts.size === 0) for (const wake of [...idleWaiters]) wake();
    return settled.filter((owned) => owned.held && owned.gone?.killed);
  }

  function isIdleWithin(graceMs: number): Promise<boolean> {
    if (attempts.size === 0) return Promise.resolve(true);
    return new Promise((resolve) => {
      const timer = Number.isFinite(graceMs) ? setTimeout(() => done(false), graceMs) : undefined;
      const wake = () => done(true);
      function done(isIdle: boolean): void {
        clearTimeout(timer);
        idleWaiters.delete(wake);
        resolve(isIdle);
      }
      idleWaiters.add(wake);
    });
  }

  return {
    begin,
    all: () => [...attempts.values()],
    find: ({ taskId, fence }) =>
      [...attempts.values()].find(
        (owned) => owned.lease.taskId === taskId && owned.lease.fence === fence,
      ),
    busy: () => [...attempts.values()].filter((owned) => owned.gone === undefined).length,
    settle,
    isIdleWithin,
  };
}

function leaseOf({ taskId, attemptId, fence }: ClaimedTask): LeaseReference {
  return { taskId, attemptId, fence };
}
