// A circuit breaker as data: after some failures in a row nothing is sent for a while, then one probe at a time.

/** What a breaker knows; changed only by the functions here. */
export interface Breaker {
  /** In a row. */
  failures: number;
  /** Epoch ms; null while closed. */
  openUntil: number | null;
  /** How often it opened since it was closed last. */
  openings: number;
  /** On their way. */
  probes: number;
}

export type BreakerState = "closed" | "open" | "half-open";

const FAILURES_UNTIL_OPEN = 5;
const FIRST_OPEN_MS = 1_000;

export function newBreaker(): Breaker {
  return { failures: 0, openUntil: null, openings: 0, probes: 0 };
}

export function stateOf({ openUntil }: Breaker, nowMs: number): BreakerState {
  if (openUntil === null) return "closed";
  return openUntil > nowMs ? "open" : "half-open";
}

/** Epoch ms; null unless it is open. */
export function nextTryOf(breaker: Breaker, nowMs: number): number | null {
  return stateOf(breaker, nowMs) === "open" ? breaker.openUntil : null;
}

export function closeBreaker(breaker: Breaker): void {
  breaker.failures = 0;
  breaker.openings = 0;
  breaker.openUntil = null;
}

export interface FailureOptions {
  /** It was sent to find out. What began before the breaker opened does not push the next try away. */
  readonly isProbe: boolean;
  /** False: too little is known to open it now. */
  readonly mayOpen: boolean;
  readonly nowMs: number;
  readonly longestMs: number;
}

/** Counts a failure, and opens the breaker for 1 s, then 2, 4 … `longestMs`. */
export function noteFailure(breaker: Breaker, options: FailureOptions): void {
  breaker.failures += 1;
  const { isProbe, mayOpen, nowMs, longestMs } = options;
  const isEnough = breaker.failures >= FAILURES_UNTIL_OPEN && mayOpen;
  if (!(breaker.openUntil === null ? isEnough : isProbe)) return;
  breaker.openUntil = nowMs + Math.min(FIRST_OPEN_MS * 2 ** breaker.openings, longestMs);
  breaker.openings += 1;
}

/** Ends the wait: the next delivery is a probe. */
export function endWait(breaker: Breaker, nowMs: number): void {
  if (breaker.openUntil !== null) breaker.openUntil = Math.min(breaker.openUntil, nowMs);
}
