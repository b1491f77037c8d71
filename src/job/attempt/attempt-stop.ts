// What ends an attempt, from inside or outside, as data.
import type {
  AttemptError,
  KillReceipt,
  LiveView,
  Outcome,
  StopHow,
  StopReason,
} from "../../core/attempt.ts";
import { platformError } from "../wire/error-data.ts";
import type { OwnEnd } from "./offer.ts";

/** An end from outside the job's code: the deadline, a request, or what its process did to itself. */
export interface Stop {
  readonly kind: "stop";
  readonly outcome: "timed_out" | "cancelled" | "interrupted" | "crashed";
  /** The request, or the deadline; on the clock of `performance.now()`. */
  readonly sinceMs: number;
  /** How long it may end by itself after the signal. */
  readonly graceMs: number;
  readonly error: AttemptError;
  readonly by: NonNullable<KillReceipt["by"]>;
}

const STOP_ERRORS = {
  timed_out: platformError("timeout", "it was still running at its timeout"),
  cancelled: platformError("cancelled", "the task was cancelled"),
  interrupted: platformError("interrupted", "the executor handed the attempt back"),
} as const;

const REQUESTED = {
  cancel: { outcome: "cancelled", error: STOP_ERRORS.cancelled, by: "application" },
  interrupt: { outcome: "interrupted", error: STOP_ERRORS.interrupted, by: "executor" },
  memory: {
    outcome: "crashed",
    error: platformError("out_of_memory", "the executor was over its memory limit"),
    by: "executor",
  },
} as const satisfies Record<StopReason, Pick<Stop, "outcome" | "error" | "by">>;

export function requestedStop(reason: StopReason, { graceMs = 0, why }: StopHow = {}): Stop {
  const stop = REQUESTED[reason];
  const error = why === undefined ? stop.error : { ...stop.error, message: why };
  return { kind: "stop", sinceMs: performance.now(), graceMs, ...stop, error };
}

export function deadlineStop(sinceMs: number): Stop {
  const error = STOP_ERRORS.timed_out;
  return { kind: "stop", outcome: "timed_out", sinceMs, graceMs: 0, error, by: "deadline" };
}

/** What a crash is to the attempt: a process that killed itself for us says why. */
export function crashStop({ error, because }: Extract<OwnEnd, { kind: "crashed" }>): Stop {
  const sinceMs = performance.now();
  if (because === "deadline") return deadlineStop(sinceMs);
  if (because === "lease") return requestedStop("interrupt", { why: error.message });
  return { kind: "stop", outcome: "crashed", sinceMs, graceMs: 0, error, by: "job" };
}

/** What the receipt of a kill is made of. */
export interface KillWords {
  /** On the clock of `performance.now()`. */
  readonly sinceMs: number;
  readonly method: KillReceipt["method"];
}

/** The receipt as of now. */
export function receiptOf(killed: boolean, { sinceMs, method }: KillWords): KillReceipt {
  return { killed, method, latencyMs: Math.round(performance.now() - sinceMs), at: Date.now() };
}

/** What a receipt says besides the proof. */
export function receiptWords(stop: Stop, view: LiveView | null): Partial<KillReceipt> {
  // Of a cancelled one the error may be the job's own.
  const { reason = stop.outcome } =
    stop.outcome === "cancelled" ? STOP_ERRORS.cancelled : stop.error;
  return { stack: view?.frames ?? [], reason, by: stop.by };
}

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

/** Its end must be recorded 250 ms after the deadline or the request; proof that comes later is written later. */
const RECORDED_WITHIN_MS = 220;
const PROOF_MS = { least: 60, most: 150 } as const;

/** How long an end waits for the proof of death, so that its receipt can tell it. */
export function proofWithinMs(sinceMs: number): number {
  const leftMs = RECORDED_WITHIN_MS - (performance.now() - sinceMs);
  return Math.min(PROOF_MS.most, Math.max(PROOF_MS.least, leftMs));
}

/** How long an attempt's end waits for what. */
export const LIMITS_MS = {
  /** How long an end that is already on its way is waited for. */
  lateEnd: 80,
  /** A cancelled job's event loop gets this long to show that it is free: then it is known that the job waited. */
  lastPing: 20,
  /** A checkpoint that a busy job worker has not heard of for so long is given up. */
  checkpoint: 10_000,
  /** After an attempt's end its job worker has this long to come to rest before it is replaced. */
  rest: 1_000,
} as const;
