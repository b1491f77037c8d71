// What ends an attempt, from inside or outside, as data.
import type { KillReceipt, Outcome, StopReason } from "../core/attempt.ts";
import { platformError } from "./error-data.ts";
import type { OwnEnd } from "./offer.ts";

/** An end from outside: the deadline, or a request. */
export interface Stop {
  readonly kind: "stop";
  readonly outcome: "timed_out" | "cancelled" | "interrupted";
  /** The request, or the deadline; on the clock of `performance.now()`. */
  readonly sinceMs: number;
}

export function requestedStop(reason: StopReason): Stop {
  const outcome = reason === "cancel" ? "cancelled" : "interrupted";
  return { kind: "stop", outcome, sinceMs: performance.now() };
}

export const STOP_ERRORS = {
  timed_out: platformError("timeout", "it was still running at its timeout"),
  cancelled: platformError("cancelled", "the task was cancelled"),
  interrupted: platformError("interrupted", "the executor handed the attempt back"),
} as const;

export const OWN_OUTCOMES = {
  returned: "succeeded",
  threw: "failed",
  crashed: "crashed",
} as const satisfies Record<OwnEnd["kind"], Outcome>;

/** Of an attempt no code of which was ever started, or is known to go on. */
export const NOTHING_RUNS: KillReceipt = { killed: true, method: "none", latencyMs: 0 };

const ABORT_BEFORE_MS = 1_000;

/** When `ctx.signal` fires: 1 s before the deadline, or a tenth of the timeout if that is less. */
export function abortAfterMs(timeoutMs: number): number {
  return timeoutMs - Math.min(ABORT_BEFORE_MS, timeoutMs / 10);
}
