// How attempts end: every outcome, on real job workers.
import { expect } from "bun:test";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { atItsBest } from "../support/at-its-best.ts";
import { claimed } from "../support/claimed-task.ts";
import { describe, test } from "../support/long.ts";
import { finish, openLane, start, until } from "./attempts.ts";

const lane = await openLane();
const run = (action: string, value?: unknown, timeoutMs?: number) =>
  finish(start(lane, action, { value, ...(timeoutMs !== undefined && { timeoutMs }) }));

/** Promised after the deadline; the bench of kills says how it is spread. */
const LATEST_AFTER_MS = 250;
const DEAD_WITHIN_MS = 1_000;

describe("a job that ends by itself", () => {
  test("succeeds with what it returns as JSON", async () => {
    const { end, receipt } = await run("return", { list: [1, "ü", null] });
    expect(end).toMatchObject({ outcome: "succeeded", result: '{"list":[1,"ü",null]}' });
    expect(receipt).toEqual({ killed: true, method: "none", latencyMs: 0 });
  });

  test("succeeds with null when it returns nothing", async () => {
    const { end } = await run("nothing");
    expect(end).toMatchObject({ outcome: "succeeded", result: "null" });
    const told = end.trace?.events.find(({ type }) => type === "result");
    expect(told?.data).toEqual({ result: null });
  });

  test("gets the task it runs for", async () => {
    const task = { ...claimed("action", { do: "ctx" }, 30_000), attempt: 3 };
    const before = Date.now();
    const { end } = await finish(lane.start(task));
    const ctx = JSON.parse(end.result ?? "") as Record<string, number>;
    expect(ctx).toMatchObject({ taskId: task.taskId, taskNo: task.taskNo, attempt: 3 });
    expect(ctx["maxAttempts"]).toBe(6);
    expect(ctx["deadline"]).toBeGreaterThanOrEqual(before + 30_000);
    expect(ctx["deadline"]).toBeLessThanOrEqual(Date.now() + 30_000);
  });

  test("runs under an alias too", async () => {
    const task = claimed("\\Test\\Action", { do: "return", value: 7 });
    const { end } = await finish(lane.start(task));
    expect(end.result).toBe("7");
  });

  test("fails with its error, the error's code and its causes", async () => {
    const { end } = await run("throw");
    expect(end).toMatchObject({
      outcome: "failed",
      error: { name: "Error", message: "it went wrong", reason: "E_WRONG" },
    });
    expect(end.error?.stack).toContain("test/jobs/action.ts:");
    expect(end.error?.stack).toContain("Caused by: Error: the reason");
    expect(end.error?.stack).not.toContain("src/job/");
    expect(end.error?.final).toBeUndefined();
  });

  test("fails for good with NonRetryableError", async () => {
    const { end } = await run("refuse");
    expect(end).toMatchObject({
      outcome: "failed",
      error: { name: "NonRetryableError", message: "never again", final: true },
    });
  });

  test("fails with whatever else it throws", async () => {
    const { end } = await run("throw-text", "just a text");
    expect(end.error?.message).toBe("thrown: just a text");
  });

  const unsayable = [
    ["bigint", "result_not_json", "'total' in the result is a bigint"],
    ["function", "result_not_json", "'callback' in the result is a function"],
    ["cycle", "result_not_json", "the result is not JSON"],
  ] as const;

  test.each(unsayable)("fails when it returns a %s", async (action, reason, message) => {
    const { end } = await run(action);
    expect(end.outcome).toBe("failed");
    expect(end.error?.reason).toBe(reason);
    expect(end.error?.message).toContain(message);
  });

  test("may return 1 MiB of JSON and not a byte more", async () => {
    const fits = await run("text-of", 1_048_574);
    expect(fits.end.outcome).toBe("succeeded");
    const tooLarge = await run("text-of", 1_048_575);
    expect(tooLarge.end.error?.reason).toBe("result_too_large");
  });
});

describe("a job at its timeout", () => {
  const busy = ["spin", "spin-silently", "spin-in-awaits", "never"] as const;

  test.each(busy)("is dead after it, not before: %s", async (action) => {
    await run("return");
    await atItsBest(LATEST_AFTER_MS, async () => {
      const { end, endedMs, receipt } = await run(action, null, 300);
      expect(end).toMatchObject({ outcome: "timed_out", error: { reason: "timeout" } });
      expect(endedMs).toBeGreaterThanOrEqual(299);
      expect(receipt).toMatchObject({ killed: true, method: "thread" });
      expect(end.receipt).toMatchObject({ method: "thread" });
      return endedMs - 300;
    });
  });

  test.concurrent("succeeds when it finishes between the signal and the deadline", async () => {
    const { end, endedMs } = await run("finish-on-signal", null, 10_000);
    expect(end).toMatchObject({ outcome: "succeeded", result: '"in order"' });
    expect(endedMs).toBeGreaterThanOrEqual(8_999);
  });

  test.concurrent("ends by the signal when ctx.sleep passes it on", async () => {
    const { end, receipt } = await run("sleep", 60_000, 10_000);
    expect(end.outcome).toBe("timed_out");
    expect(receipt).toMatchObject({ killed: true, method: "abort" });
  });

  test.concurrent("ends by the signal when ctx.fetch passes it on", async () => {
    const silentServer = createServer(() => undefined).listen(0, "127.0.0.1");
    await until(() => silentServer.listening);
    const { port } = silentServer.address() as AddressInfo;
    const { end, receipt } = await run("fetch", `http://127.0.0.1:${port}`, 10_000);
    silentServer.closeAllConnections();
    silentServer.close();
    expect(end.outcome).toBe("timed_out");
    expect(receipt).toMatchObject({ killed: true, method: "abort" });
  });

  test("is recorded before it is given up, and said not to be dead when it blocks in a system call", async () => {
    await run("return");
    const { end, endedMs, receipt, goneMs } = await run("block", 10, 300);
    expect(end).toMatchObject({ outcome: "timed_out", receipt: { killed: false } });
    expect(receipt).toMatchObject({ killed: false, method: "thread" });
    expect(receipt.latencyMs).toBeGreaterThanOrEqual(1_900);
    expect(goneMs).toBeGreaterThan(endedMs);
  });

  test("is held to its own timeout when the task asks for more", async () => {
    const { end } = await finish(lane.start(claimed("short", { ms: 60_000 }, 60_000)));
    expect(end.outcome).toBe("timed_out");
  });
});

describe("a job that is stopped", () => {
  test.each(["spin", "never"])("is dead after a cancel: %s", async (action) => {
    await atItsBest(DEAD_WITHIN_MS, async () => {
      const attempt = start(lane, action, { timeoutMs: 600_000 });
      await until(async () => (await attempt.inspect()).elapsedMs > 100);
      attempt.stop("cancel");
      const { end, goneMs, receipt } = await finish(attempt);
      expect(end).toMatchObject({ outcome: "cancelled", error: { reason: "cancelled" } });
      expect(receipt).toMatchObject({ killed: true, method: "thread" });
      return goneMs;
    });
  });

  test("may end by itself within the grace of its cancel", async () => {
    const attempt = start(lane, "finish-on-signal", { timeoutMs: 600_000 });
    await until(async () => (await attempt.inspect()).elapsedMs > 100);
    attempt.stop("cancel", { graceMs: 300_000 });
    const { end } = await finish(attempt);
    expect(end).toMatchObject({ outcome: "succeeded", result: '"in order"' });
  });

  test("is killed when its grace is over, or when a second cancel gives none", async () => {
    const slow = start(lane, "spin", { timeoutMs: 600_000 });
    await until(async () => (await slow.inspect()).frames.length > 0);
    slow.stop("cancel", { graceMs: 600 });
    const first = await finish(slow);
    expect(first.endedMs).toBeGreaterThanOrEqual(599);
    expect(first.receipt).toMatchObject({ killed: true, reason: "cancelled", by: "application" });
    const hurried = start(lane, "spin", { timeoutMs: 600_000 });
    await until(async () => (await hurried.inspect()).frames.length > 0);
    hurried.stop("cancel", { graceMs: 300_000 });
    await until(async () => (await hurried.inspect()).elapsedMs > 200);
    hurried.stop("cancel");
    const second = await finish(hurried);
    expect(second.end.outcome).toBe("cancelled");
  });

  test("keeps in its receipt where it was", async () => {
    const attempt = start(lane, "spin");
    await until(async () => (await attempt.inspect()).frames.length > 0);
    attempt.stop("cancel");
    const { end, receipt } = await finish(attempt);
    expect(receipt.stack?.[0]).toMatchObject({ line: expect.any(Number) });
    expect(end.receipt?.stack).toEqual(receipt.stack);
    expect(receipt.at).toBeGreaterThan(0);
  });

  test("is interrupted when the executor hands it back", async () => {
    const attempt = start(lane, "never");
    attempt.stop("interrupt");
    const { end } = await finish(attempt);
    expect(end.outcome).toBe("interrupted");
  });

  test("keeps its first end, whatever is asked afterwards", async () => {
    const attempt = start(lane, "return", { value: 1 });
    const { end } = await finish(attempt);
    attempt.stop("cancel");
    attempt.stop("interrupt");
    expect(end.outcome).toBe("succeeded");
    expect(await attempt.ended).toBe(end);
  });
});

describe("a job that crashes", () => {
  const crashes = [
    ["exit", 0, "ended its job worker (exit code 0)"],
    ["exit", 3, "ended its job worker (exit code 3)"],
    ["throw-later", null, "nobody catches this"],
    ["reject-later", null, "nobody handles this"],
  ] as const;

  test.each(crashes)("%s %p", async (action, value, message) => {
    const { end, receipt } = await run(action, value);
    expect(end.outcome).toBe("crashed");
    expect(end.error?.message).toContain(message);
    expect(receipt.killed).toBe(true);
  });

  test("costs the next attempt nothing", async () => {
    const { end } = await run("return", "next");
    expect(end.outcome).toBe("succeeded");
  });
});

describe("a task that cannot run here", () => {
  test("fails for good when its params no longer fit the job", async () => {
    const { end } = await finish(lane.start(claimed("action", { do: 5 })));
    expect(end).toMatchObject({
      outcome: "failed",
      error: { reason: "params_invalid", final: true },
    });
    expect(end.error?.message).toContain("content.params.do must be string");
  });

  test("finds its params under their other name", async () => {
    const task = claimed("action", {});
    const content = JSON.stringify({ class: "action", _params: { do: "return", value: 8 } });
    const { end } = await finish(lane.start({ ...task, content }));
    expect(end.result).toBe("8");
  });

  test("is left to other executors when its job is not known", async () => {
    const { end, receipt } = await finish(lane.start(claimed("elsewhere", {})));
    expect(end.outcome).toBe("interrupted");
    expect(receipt.killed).toBe(true);
  });
});
