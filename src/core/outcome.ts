// Decides, purely, what becomes of a task after an attempt.
import type { AttemptEnd, NextState, Outcome } from "./attempt.ts";
import type { ClaimedTask, RetryPolicy } from "./task.ts";

/** Executors may die under a task this often in one life before it is failed as poison. */
const DEATHS_UNTIL_POISON = 3;
/** After so many deaths with executors that were told to stop, a life's attempts are kept away from others. */
const INTERRUPTIONS_UNTIL_APART = 10;
/** However long a receiver asks to be left alone. */
const LONGEST_RETRY_AFTER_MS = 86_400_000;

const CHARGED: Readonly<Record<Outcome, boolean>> = {
  succeeded: true,
  failed: true,
  timed_out: true,
  crashed: true,
  cancelled: false,
  lost: false,
  interrupted: false,
};

/** What the decision needs to know of the task, as it was when the attempt was claimed. */
export interface LifeSoFar {
  /** Charged attempts that ended before this one. */
  readonly charged: number;
  /** Attempts that ended `lost` before this one. */
  readonly deaths: number;
  readonly retry: RetryPolicy;
}

export interface Decision {
  readonly charged: boolean;
  readonly next: NextState;
}

/** Whether an attempt with this outcome counts against the retry budget. */
function isCharged(outcome: Outcome): boolean {
  return CHARGED[outcome];
}

/**
 * Ms between the n-th charged attempt and the next one.
 * @param random uniform in [0, 1); asked only when the policy has jitter
 */
export function retryDelayMs(
  retry: RetryPolicy,
  chargedAttempts: number,
  random: () => number,
): number {
  const plainMs = Math.min(growth(retry, chargedAttempts), retry.maxDelayS) * 1000;
  return retry.jitter ? Math.floor(random() * (plainMs + 1)) : plainMs;
}

/** Seconds, not capped yet. */
function growth({ strategy, stepS }: RetryPolicy, chargedAttempts: number): number {
  switch (strategy) {
    case "linear":
      return stepS * chargedAttempts;
    case "fixed":
      return stepS;
    case "exponential":
      return stepS * 2 ** (chargedAttempts - 1);
  }
}

/** How an attempt ended, as far as it decides what comes next. */
type Ended = Pick<AttemptEnd, "outcome" | "error" | "retryAfterMs">;

/**
 * The next state of a task whose attempt ended. A durable cancel is applied by the store, with `underCancel`.
 * @param random see `retryDelayMs`
 */
export function decideNext(end: Ended, life: LifeSoFar, random: () => number): Decision {
  return { charged: isCharged(end.outcome), next: nextState(end, life, random) };
}

/** What the store is about to write of an end. */
interface Decided extends Decision {
  readonly end: AttemptEnd;
}

/**
 * The same once a cancel is durable: what is no success is cancelled, whatever the job did about it, and costs nothing.
 * The error stays. What its executor did to the attempt (`lost`, `interrupted`) is told as it was.
 */
export function underCancel<T extends Decided>(decided: T): T {
  const { end, charged } = decided;
  if (end.outcome === "succeeded") return decided;
  const told = charged ? { ...end, outcome: "cancelled" as const } : end;
  return { ...decided, end: told, charged: false, next: { kind: "terminal", status: "cancelled" } };
}

function nextState(end: Ended, life: LifeSoFar, random: () => number): NextState {
  switch (end.outcome) {
    case "succeeded":
      return { kind: "terminal", status: "succeeded" };
    case "cancelled":
      return { kind: "terminal", status: "cancelled" };
    case "interrupted":
      return { kind: "pending", delayMs: askedDelayMs(end.retryAfterMs) };
    case "lost":
      return isPoison(life)
        ? { kind: "terminal", status: "failed" }
        : { kind: "pending", delayMs: 0 };
    case "failed":
    case "timed_out":
    case "crashed":
      return afterFailure(end, life, random);
  }
}

function afterFailure(end: Ended, life: LifeSoFar, random: () => number): NextState {
  const { retry } = life;
  const charged = life.charged + 1;
  const isForbidden =
    end.error?.final === true || (end.outcome === "timed_out" && !retry.retryOnTimeout);
  if (isForbidden || charged > retry.total) return { kind: "terminal", status: "failed" };
  const delayMs = retryDelayMs(retry, charged, random);
  return { kind: "pending", delayMs: Math.max(delayMs, askedDelayMs(end.retryAfterMs)) };
}

/** 0 for what is no number of ms. */
function askedDelayMs(retryAfterMs = 0): number {
  if (!(retryAfterMs > 0)) return 0;
  return Math.ceil(Math.min(retryAfterMs, LONGEST_RETRY_AFTER_MS));
}

/**
 * True when the next attempt of a job must not share a process with others: whatever dies with an executor that was told
 * to stop is no death of the task, so one that kills executors while they stop would never become poison.
 */
export function runsApart({ interruptions }: Pick<ClaimedTask, "interruptions">): boolean {
  return interruptions >= INTERRUPTIONS_UNTIL_APART;
}

/** True when one more death of an executor makes the task poison. */
export function isPoison(life: Pick<LifeSoFar, "deaths">): boolean {
  return life.deaths + 1 >= DEATHS_UNTIL_POISON;
}
