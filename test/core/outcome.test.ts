// What becomes of a task after an attempt: a table over outcomes and budgets, and delays that keep their bounds.
import { describe, expect, test } from "bun:test";
import type { AttemptEnd, NextState, Outcome } from "../../src/core/attempt.ts";
import { decideNext, retryDelayMs, underCancel } from "../../src/core/outcome.ts";
import { completeRetry, linearRetry } from "../../src/core/retry-policy.ts";
import { RETRY_STRATEGIES, type RetryPolicy } from "../../src/core/task.ts";
import { mulberry } from "../support/mulberry.ts";

const FAILED: NextState = { kind: "terminal", status: "failed" };
const SUCCEEDED: NextState = { kind: "terminal", status: "succeeded" };
const CANCELLED: NextState = { kind: "terminal", status: "cancelled" };
const again = (delayMs: number): NextState => ({ kind: "pending", delayMs });

const DAY_MS = 86_400_000;

interface Row {
  readonly outcome: Outcome;
  readonly charged: number;
  readonly deaths: number;
  readonly total: number;
  readonly final?: boolean;
  readonly counts: boolean;
  readonly next: NextState;
}

const rows: readonly Row[] = [
  { outcome: "succeeded", charged: 0, deaths: 0, total: 0, counts: true, next: SUCCEEDED },
  { outcome: "cancelled", charged: 0, deaths: 0, total: 5, counts: false, next: CANCELLED },
  { outcome: "failed", charged: 0, deaths: 0, total: 0, counts: true, next: FAILED },
  { outcome: "failed", charged: 0, deaths: 0, total: 2, counts: true, next: again(5_000) },
  { outcome: "failed", charged: 1, deaths: 0, total: 2, counts: true, next: again(10_000) },
  { outcome: "failed", charged: 2, deaths: 0, total: 2, counts: true, next: FAILED },
  { outcome: "failed", charged: 0, deaths: 0, total: 2, final: true, counts: true, next: FAILED },
  { outcome: "timed_out", charged: 0, deaths: 0, total: 1, counts: true, next: again(5_000) },
  { outcome: "timed_out", charged: 1, deaths: 0, total: 1, counts: true, next: FAILED },
  { outcome: "crashed", charged: 0, deaths: 2, total: 1, counts: true, next: again(5_000) },
  { outcome: "interrupted", charged: 5, deaths: 0, total: 5, counts: false, next: again(0) },
  { outcome: "lost", charged: 0, deaths: 0, total: 0, counts: false, next: again(0) },
  { outcome: "lost", charged: 0, deaths: 1, total: 0, counts: false, next: again(0) },
  { outcome: "lost", charged: 0, deaths: 2, total: 10, counts: false, next: FAILED },
];

/** Fails the test when it is asked. */
function noRandom(): number {
  throw new Error("nothing is to be drawn here");
}

describe("the next state after an attempt", () => {
  for (const row of rows) {
    const situation = `${row.outcome}${row.final ? " (final)" : ""} after ${row.charged} charged and ${row.deaths} deaths of ${row.total} retries`;
    test(`${situation} is ${row.next.kind === "pending" ? `pending in ${row.next.delayMs} ms` : row.next.status}`, () => {
      const error = row.final ? { error: { name: "E", message: "m", final: true } } : {};
      const life = {
        charged: row.charged,
        deaths: row.deaths,
        retry: linearRetry(5, row.total),
      };
      expect(decideNext({ outcome: row.outcome, ...error }, life, noRandom)).toEqual({
        charged: row.counts,
        next: row.next,
      });
    });
  }

  test("linear delays grow by the step and stop at one hour", () => {
    const delays = [1, 2, 3, 720, 721].map((n) => retryDelayMs(linearRetry(5, 10), n, noRandom));
    expect(delays).toEqual([5_000, 10_000, 15_000, 3_600_000, 3_600_000]);
  });

  test("fixed delays do not grow", () => {
    expect(delays({ strategy: "fixed", step: 7 }, [1, 2, 100])).toEqual([7_000, 7_000, 7_000]);
  });

  test("exponential delays double and stop at their maximum", () => {
    const seconds = { strategy: "exponential", step: 3, maxDelay: 20 } as const;
    expect(delays(seconds, [1, 2, 3, 4, 100])).toEqual([3_000, 6_000, 12_000, 20_000, 20_000]);
  });

  test("a time-out is final only where the policy says so", () => {
    const life = { charged: 0, deaths: 0, retry: policy({ retryOnTimeout: false }) };
    expect(decideNext({ outcome: "timed_out" }, life, noRandom).next).toEqual(FAILED);
    expect(decideNext({ outcome: "failed" }, life, noRandom).next).toEqual(again(5_000));
    expect(decideNext({ outcome: "crashed" }, life, noRandom).next).toEqual(again(5_000));
  });
});

describe("under a durable cancel", () => {
  const end = (outcome: Outcome) => ({ outcome, error: { name: "E", message: "m" } });
  const retry = linearRetry(5, 3);
  const decided = (outcome: Outcome, deaths = 0) => {
    const ended = end(outcome);
    return { end: ended, ...decideNext(ended, { charged: 0, deaths, retry }, noRandom) };
  };

  test.each(["failed", "timed_out", "crashed"] as const)(
    "%s is cancelled, uncharged",
    (outcome) => {
      expect(underCancel(decided(outcome))).toEqual({
        end: { ...end("failed"), outcome: "cancelled" },
        charged: false,
        next: CANCELLED,
      });
    },
  );

  test.each(["lost", "interrupted", "cancelled"] as const)("%s ends the task", (outcome) => {
    const cancelled = { end: end(outcome), charged: false, next: CANCELLED };
    expect(underCancel(decided(outcome))).toEqual(cancelled);
    expect(underCancel(decided(outcome, 2))).toEqual(cancelled);
  });

  test("a success stays one", () => {
    expect(underCancel(decided("succeeded"))).toEqual(decided("succeeded"));
  });
});

describe("a receiver that asks to be left alone", () => {
  const cases: readonly [string, number, number][] = [
    ["for longer than the policy gets that", 60_000, 60_000],
    ["for less than the policy gets the policy", 1_000, 5_000],
    ["for more than a day gets a day", 10 * DAY_MS, DAY_MS],
    ["for ever gets a day", Number.POSITIVE_INFINITY, DAY_MS],
    ["for a negative time gets the policy", -60_000, 5_000],
    ["for no number gets the policy", Number.NaN, 5_000],
    ["for a part of a millisecond gets a whole one", 5_000.25, 5_001],
  ];
  for (const [title, retryAfterMs, delayMs] of cases) {
    test(title, () => {
      expect(after({ outcome: "failed", retryAfterMs }, linearRetry(5, 1))).toEqual(again(delayMs));
    });
  }

  test("is not heard when no retry is left, or none can help", () => {
    const end = { outcome: "failed", retryAfterMs: 60_000 } as const;
    expect(after(end, linearRetry(5, 0))).toEqual(FAILED);
    const error = { name: "E", message: "m", final: true };
    expect(after({ ...end, error }, linearRetry(5, 5))).toEqual(FAILED);
  });
});

describe("delays with jitter, over random policies", () => {
  const drawn = policies(mulberry(20_260_727), 2_000);

  test("lie between 0 and what the strategy says, in whole milliseconds", () => {
    const random = mulberry(1);
    for (const { retry, n } of drawn) {
      const delayMs = retryDelayMs(retry, n, random);
      const mostMs = retryDelayMs({ ...retry, jitter: false }, n, noRandom);
      expect(Number.isInteger(delayMs)).toBe(true);
      expect(delayMs).toBeWithin(0, mostMs + 1);
      expect(mostMs).toBeLessThanOrEqual(retry.maxDelayS * 1000);
    }
  });

  test("reach both ends of their range", () => {
    const retry = policy({ strategy: "exponential", jitter: true });
    expect(retryDelayMs(retry, 3, () => 0)).toBe(0);
    expect(retryDelayMs(retry, 3, () => 1 - Number.EPSILON)).toBe(20_000);
  });

  test("are spread evenly", () => {
    const random = mulberry(7);
    const retry = policy({ strategy: "exponential", jitter: true });
    const quarters = [0, 0, 0, 0];
    for (let round = 0; round < 4_000; round++) {
      const quarter = Math.min(3, Math.floor(retryDelayMs(retry, 3, random) / 5_000));
      quarters[quarter] = (quarters[quarter] ?? 0) + 1;
    }
    for (const count of quarters) expect(count).toBeWithin(880, 1_120);
  });

  test("are the same for the same random numbers", () => {
    const draw = (seed: number) => {
      const random = mulberry(seed);
      return drawn.map(({ retry, n }) => retryDelayMs(retry, n, random));
    };
    expect(draw(42)).toEqual(draw(42));
    expect(draw(42)).not.toEqual(draw(43));
  });

  test("never shrink without jitter while attempts are counted", () => {
    for (const { retry, n } of drawn) {
      const plain = { ...retry, jitter: false };
      const [now, later] = [n, n + 1].map((at) => retryDelayMs(plain, at, noRandom));
      expect(later).toBeGreaterThanOrEqual(now ?? Number.NaN);
    }
  });
});

function policy(input: Parameters<typeof completeRetry>[0]): RetryPolicy {
  return completeRetry(input, linearRetry(5, 5));
}

function delays(input: Parameters<typeof policy>[0], attempts: readonly number[]): number[] {
  return attempts.map((n) => retryDelayMs(policy(input), n, noRandom));
}

function after(end: AttemptEnd, retry: RetryPolicy): NextState {
  return decideNext(end, { charged: 0, deaths: 0, retry }, noRandom).next;
}

/** Any policy the API lets in, with the number of an attempt. */
function policies(random: () => number, count: number) {
  const upTo = (most: number) => Math.floor(random() * (most + 1));
  return Array.from({ length: count }, () => ({
    n: 1 + upTo(100),
    retry: {
      strategy: RETRY_STRATEGIES[upTo(2)] ?? "linear",
      stepS: upTo(3_600),
      total: upTo(100),
      maxDelayS: upTo(86_400),
      jitter: true,
      retryOnTimeout: true,
    },
  }));
}
