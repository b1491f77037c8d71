// Completes what callers say about retries: each field they leave out comes from the policy below theirs.
import type { RetryPolicy, RetryStrategy } from "./task.ts";

/** A retry policy as callers send it; times in seconds. */
export interface RetryInput {
  readonly strategy?: RetryStrategy;
  readonly step?: number;
  /** Retries. */
  readonly max?: number;
  readonly maxDelay?: number;
  readonly jitter?: boolean;
  readonly retryOnTimeout?: boolean;
}

const LONGEST_DELAY_S = 3_600;

/** The original API's: linear, without jitter, capped at an hour. */
export function linearRetry(stepS: number, total: number): RetryPolicy {
  return {
    strategy: "linear",
    stepS,
    total,
    maxDelayS: LONGEST_DELAY_S,
    jitter: false,
    retryOnTimeout: true,
  };
}

/** What callers said, over `base`. */
export function completeRetry(input: RetryInput | undefined, base: RetryPolicy): RetryPolicy {
  if (input === undefined) return base;
  return {
    strategy: input.strategy ?? base.strategy,
    stepS: input.step ?? base.stepS,
    total: input.max ?? base.total,
    maxDelayS: input.maxDelay ?? base.maxDelayS,
    jitter: input.jitter ?? base.jitter,
    retryOnTimeout: input.retryOnTimeout ?? base.retryOnTimeout,
  };
}
