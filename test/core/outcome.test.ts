// What becomes of a task after an attempt, as a table over outcomes and budgets.
import { describe, expect, test } from "bun:test";
import type { NextState, Outcome } from "../../src/core/attempt.ts";
import { decideNext, retryDelayMs } from "../../src/core/outcome.ts";

const FAILED: NextState = { kind: "terminal", status: "failed" };
const SUCCEEDED: NextState = { kind: "terminal", status: "succeeded" };
const CANCELLED: NextState = { kind: "terminal", status: "cancelled" };
const again = (delayMs: number): NextState => ({ kind: "pending", delayMs });

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

describe("the next state after an attempt", () => {
  for (const row of rows) {
    const situation = `${row.outcome}${row.final ? " (final)" : ""} after ${row.charged} charged and ${row.deaths} deaths of ${row.total} retries`;
    test(`${situation} is ${row.next.kind === "pending" ? `pending in ${row.next.delayMs} ms` : row.next.status}`, () => {
      const error = row.final ? { error: { name: "E", message: "m", final: true } } : {};
      const life = {
        charged: row.charged,
        deaths: row.deaths,
        retry: { stepS: 5, total: row.total },
      };
      expect(decideNext({ outcome: row.outcome, ...error }, life)).toEqual({
        charged: row.counts,
        next: row.next,
      });
    });
  }

  test("delays grow by the step and stop at one hour", () => {
    const delays = [1, 2, 3, 720, 721].map((n) => retryDelayMs({ stepS: 5, total: 10 }, n));
    expect(delays).toEqual([5_000, 10_000, 15_000, 3_600_000, 3_600_000]);
  });
});
