// What is told of a task besides where it is: its input with secrets masked, its times, and why it waits.
import { describe, expect, test } from "bun:test";
import type { JobHolders } from "../../src/core/job-holders.ts";
import { linearRetry } from "../../src/core/retry-policy.ts";
import type { Task } from "../../src/core/task.ts";
import { taskFacts } from "../../src/core/task-facts.ts";
import { waitingReason } from "../../src/core/waiting-reason.ts";

const NOW = 1_627_371_056_000;
const timezone = "Asia/Shanghai";

function taskOf(change: Partial<Task> = {}): Task {
  return {
    id: 81,
    digest: "00",
    exactDigest: "00",
    applicationId: 1,
    taskNo: "no-1",
    name: "name",
    lane: "callback",
    job: null,
    content: '{"order":1}',
    timeoutMs: 60_000,
    status: "pending",
    runAt: NOW,
    fence: 0,
    life: 1,
    attempt: 0,
    charged: 0,
    deaths: 0,
    interruptions: 0,
    retry: linearRetry(5, 3),
    cancelRequestedAt: null,
    leaseUntil: null,
    heldBy: null,
    createdAt: NOW - 1_000,
    finishedAt: null,
    ...change,
  };
}

const jobTask = (content: object) =>
  taskOf({ lane: "job", job: "report", content: JSON.stringify({ class: "report", ...content }) });

describe("the facts of a task", () => {
  const facts = (task: Task, redact: readonly string[] = []) =>
    taskFacts(task, { nowMs: NOW, timezone, redact });

  test("are its kind, its input and its times, in the zone of the platform", () => {
    expect(facts(taskOf({ runAt: NOW + 5_000 }))).toEqual({
      lane: "callback",
      job: null,
      params: null,
      content: { order: 1 },
      content_cut: false,
      created_at: NOW - 1_000,
      created_at_text: "2021-07-27T15:30:55.000+08:00",
      run_at: NOW + 5_000,
      run_at_text: "2021-07-27T15:31:01.000+08:00",
      next_retry_at: null,
      finished_at: null,
      timeout_ms: 60_000,
    });
    const retried = taskOf({ attempt: 1, fence: 1, charged: 1, runAt: NOW + 5_000 });
    expect(facts(retried).next_retry_at).toBe(NOW + 5_000);
    expect(facts({ ...retried, status: "failed" }).next_retry_at).toBeNull();
  });

  test.each([
    [{ params: { to: "x" } }, { to: "x" }],
    [{ _params: { to: "x" } }, { to: "x" }],
    [{}, {}],
  ])("of a job are the params in %j", (content, params) => {
    expect(facts(jobTask(content))).toMatchObject({ job: "report", params, content: null });
  });

  test("mask what is under a secret key, also those that the job names", () => {
    const params = { userToken: { a: 1 }, list: [{ IBAN: "DE1", plain: 2 }] };
    expect(facts(jobTask({ params }), ["iban"]).params).toEqual({
      userToken: "[masked]",
      list: [{ IBAN: "[masked]", plain: 2 }],
    });
    const content = '{"__proto__":{"password":1},"toJSON":2}';
    expect(JSON.stringify(facts(taskOf({ content })).content)).toBe(
      '{"__proto__":{"password":"[masked]"},"toJSON":2}',
    );
  });

  test("show numbers to the last digit", () => {
    const content = '{"id":9007199254740993,"price":1.0}';
    expect(JSON.stringify(facts(taskOf({ content })).content)).toBe(content);
  });

  test("are cut to the first 64 KiB of JSON, without half a character and after masking", () => {
    const content = JSON.stringify({ secret: "s".repeat(10), text: "帅".repeat(30_000) });
    const { content: shown, content_cut } = facts(taskOf({ content }));
    expect(content_cut).toBeTrue();
    expect(String(shown)).toStartWith('{"secret":"[masked]","text":"帅');
    expect(Buffer.byteLength(String(shown))).toBeGreaterThan(65_532);
    expect(Buffer.byteLength(String(shown))).toBeLessThanOrEqual(65_536);
    expect(String(shown)).not.toContain("\uFFFD");
  });
});

describe("why a task waits", () => {
  const living: JobHolders = { kind: "living", last: null };
  const last = { serviceId: "web-2-1f0c9a77", at: NOW - 60_000 };
  const later = NOW + 5_000;

  // biome-ignore format: a table is read by its columns
  test.each([
    [{ runAt: later }, living, "scheduled", "it is due at 2021-07-27T15:31:01.000+08:00"],
    [{ runAt: later, attempt: 2, fence: 2 }, living, "retry_backoff", "attempt 2 ended; the next is due at 2021-07-27T15:31:01.000+08:00"],
    [{ heldBy: "web-2" }, living, "held", "web-2"],
    [{ runAt: later, heldBy: "web-2" }, living, "scheduled", "due at"],
    [{ lane: "job", job: "report" }, { kind: "none", last }, "no_executor", "no living executor has the job 'report'; last seen on web-2-1f0c9a77 at 2021-07-27T15:29:56.000+08:00"],
    [{ lane: "job", job: "report" }, { kind: "none", last: null }, "no_executor", "no living executor has the job 'report'"],
    [{}, { kind: "none", last: null }, "no_executor", "no executor is alive"],
    [{}, { kind: "unknown", last }, "due", "since 2021-07-27T15:30:56.000+08:00"],
    [{}, living, "due", "waits for an executor"],
  ] as const)("%j and %j: %s", (...[change, holders, code, text]) => {
    const reason = waitingReason(taskOf(change), { nowMs: NOW, timezone, holders });
    expect(reason).toEqual({ code, text: expect.stringContaining(text) });
  });

  test.each(["running", "succeeded", "failed", "cancelled"] as const)(
    "is not told of one that is %s",
    (status) => {
      expect(
        waitingReason(taskOf({ status }), { nowMs: NOW, timezone, holders: living }),
      ).toBeNull();
    },
  );
});
