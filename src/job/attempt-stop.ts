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

/** How long an attempt's end waits for what. */
export const LIMITS_MS = {
  /** After the deadline the end waits this long for the proof of death, so that its receipt can tell it. */
  proof: 150,
  /** How long an end that is already on its way is waited for. */
  lateEnd: 80,
  /** A cancelled job's event loop gets this long to show that it is free: then it is known that the job waited. */
  lastPing: 20,
  /** A job worker that is still busy with a former attempt has this long before another one is taken. */
  accept: { least: 100, most: 1_000 },
  /** After an attempt's end its job worker has this long to come to rest before it is replaced. */
  rest: 1_000,
} as const;

/** For the receipt of a kill. */
export interface KillWords {
  readonly sinceMs?: number;
  readonly method?: "thread" | "abort";
}
