// Decides, purely, what becomes of a task after an attempt.
import type { AttemptEnd, NextState, Outcome } from "./attempt.ts";
import type { RetryPolicy } from "./task.ts";

/** Executors may die under a task this often in one life before it is failed as poison. */
const DEATHS_UNTIL_POISON = 3;
const LONGEST_DELAY_MS = 3_600_000;

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

/** The delay after the n-th charged attempt: `min(stepS × n, 3600)` seconds. */
export function retryDelayMs(retry: RetryPolicy, chargedAttempts: number): number {
  return Math.min(retry.stepS * chargedAttempts * 1000, LONGEST_DELAY_MS);
}

/** The next state of a task whose attempt ended. A requested cancel is applied by the store, inside the statement. */
export function decideNext(end: Pick<AttemptEnd, "outcome" | "error">, life: LifeSoFar): Decision {
  return { charged: isCharged(end.outcome), next: nextState(end, life) };
}

function nextState(end: Pick<AttemptEnd, "outcome" | "error">, life: LifeSoFar): NextState {
  switch (end.outcome) {
    case "succeeded":
      return { kind: "terminal", status: "succeeded" };
    case "cancelled":
      return { kind: "terminal", status: "cancelled" };
    case "interrupted":
      return { kind: "pending", delayMs: 0 };
    case "lost":
      return isPoison(life)
        ? { kind: "terminal", status: "failed" }
        : { kind: "pending", delayMs: 0 };
    case "failed":
    case "timed_out":
    case "crashed":
      return afterFailure(end.error?.final === true, life);
  }
}

function afterFailure(final: boolean, life: LifeSoFar): NextState {
  const charged = life.charged + 1;
  if (final || charged > life.retry.total) return { kind: "terminal", status: "failed" };
  return { kind: "pending", delayMs: retryDelayMs(life.retry, charged) };
}

/** True when one more death of an executor makes the task poison. */
export function isPoison(life: Pick<LifeSoFar, "deaths">): boolean {
  return life.deaths + 1 >= DEATHS_UNTIL_POISON;
}
