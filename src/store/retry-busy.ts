// Waiting on a database without standing still: retries while it is busy, deadlines while it is silent.
import { randomInt } from "node:crypto";
import { AppError } from "../core/errors.ts";
import { delay, within } from "../core/within.ts";
import { asAppError, type FailureJudge, failureKind } from "./failures.ts";

export interface Patience {
  /** How the database is called in messages. */
  readonly database: string;
  readonly failures: FailureJudge;
  /** No new try is begun after this time. */
  readonly deadlineMs: number;
  /** The pause before a new try is 1 to this many ms, so that rivals do not meet again. */
  readonly longestPauseMs: number;
}

/** Calls `work` until it is not refused as busy any more; what it throws in the end is fit for callers. */
export async function whileBusy<T>(patience: Patience, work: () => Promise<T>): Promise<T> {
  const deadline = performance.now() + patience.deadlineMs;
  for (;;) {
    try {
      return await work();
    } catch (thrown) {
      const isFinal = failureKind(thrown, patience) !== "busy" || performance.now() > deadline;
      if (isFinal) throw asAppError(thrown, patience);
      await delay(randomInt(1, patience.longestPauseMs + 1));
    }
  }
}

/** Rejects with `unavailable` when `work` takes longer; `work` itself goes on unheard. */
export async function orUnavailable<T>(
  timeoutMs: number,
  what: string,
  work: Promise<T>,
): Promise<T> {
  const done = await within(
    work.then((value) => ({ value })),
    timeoutMs,
  );
  if (done !== undefined) return done.value;
  const message = `${what} took longer than ${timeoutMs} ms`;
  throw new AppError("unavailable", message, { retryAfterS: 1 });
}
