// The line of an attempt's end: how loud it is, and what it names.
import { expect, test } from "bun:test";
import type { Outcome } from "../../src/core/attempt.ts";
import { logAttemptEnd } from "../../src/core/attempt-log.ts";
import type { Logger } from "../../src/core/logger.ts";
import { createRecordedLog } from "../support/recorded-log.ts";

const attempt = { taskId: 7, taskNo: "no-7", appKey: "shop", attempt: 2, maxAttempts: 4, ms: 12.4 };

// biome-ignore format: a table is read by its columns
const levels: readonly (readonly [Outcome, keyof Logger])[] = [
  ["succeeded",   "debug"],
  ["cancelled",   "info"],
  ["interrupted", "info"],
  ["failed",      "warn"],
  ["timed_out",   "warn"],
  ["crashed",     "warn"],
  ["lost",        "warn"],
];

test.each(levels)("%s is logged at %s", (outcome, level) => {
  const log = createRecordedLog();
  logAttemptEnd(log, { ...attempt, job: "mail", end: { outcome } });
  expect(log.lines).toMatchObject([{ level, message: "attempt ended", fields: { outcome } }]);
});

test("it names the task, the job and the error, and caps the message", () => {
  const log = createRecordedLog();
  const error = {
    name: "TypeError",
    message: "x".repeat(5_000),
    reason: "poison",
    fingerprint: "TypeError jobs/mail.ts:12 render",
  };
  logAttemptEnd(log, { ...attempt, job: "mail", end: { outcome: "failed", error } });
  expect(log.lines[0]?.fields).toEqual({
    task_id: 7,
    task_no: "no-7",
    job: "mail",
    app_key: "shop",
    attempt: 2,
    max_attempts: 4,
    outcome: "failed",
    ms: 12,
    reason: "poison",
    error: `TypeError: ${"x".repeat(289)}`,
    fingerprint: "TypeError jobs/mail.ts:12 render",
  });
});

test("a callback names no job", () => {
  const log = createRecordedLog();
  logAttemptEnd(log, { ...attempt, job: null, end: { outcome: "failed" } });
  expect(log.lines[0]?.fields).not.toHaveProperty("job");
});
