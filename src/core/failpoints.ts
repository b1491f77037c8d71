// Places in the program at which a test may stop, kill or delay it; without a test nothing happens there.

/** In the order in which a task passes them. */
export const FAILPOINTS = [
  "request-read",
  "signature-right",
  "insert-committed",
  "bell-rung",
  "response-made",
  "claim-committed",
  "attempt-handed-over",
  "lease-renewed",
  "checkpoint-written",
  "cancel-committed",
  "cancel-heard",
  "job-worker-killed",
  "callback-sent",
  "callback-judged",
  "attempt-ended",
  "finish-committed",
  "expired-reaped",
  "dead-taken-over",
  "executor-registered",
] as const;

export type Failpoint = (typeof FAILPOINTS)[number];

/** Where a test leaves its function; each thread has a global object of its own. */
export const FAILPOINT_HOOK: unique symbol = Symbol.for("serendipity-job.failpoint");

type Hooked = { readonly [FAILPOINT_HOOK]?: (point: Failpoint) => void };

/** The thread passes `point`. What a test does here may block or end the process. */
export function failpoint(point: Failpoint): void {
  (globalThis as Hooked)[FAILPOINT_HOOK]?.(point);
}
