// What is kept of errors that are no plain errors, and of text that has halves of characters in it.
import { afterAll, describe, expect, test } from "bun:test";
import { rm } from "node:fs/promises";
import type { AttemptEnd, AttemptError } from "../../src/core/attempt.ts";
import { fingerprintOf } from "../../src/core/fingerprint.ts";
import { claimed } from "../support/claimed-task.ts";
import { isWhole } from "../support/is-whole.ts";
import { finish, openLane, until } from "./attempts.ts";
import { makeUnusualJobs } from "./unusual-jobs.ts";

const jobsDir = await makeUnusualJobs();
afterAll(() => rm(jobsDir, { recursive: true }));
const lane = await openLane({ jobsDir });

const start = (action: string, timeoutMs?: number) =>
  lane.start(claimed("unusual", { do: action }, timeoutMs));

async function failure(action: string): Promise<AttemptError> {
  const { end } = await finish(start(action));
  expect(end.outcome).toBe("failed");
  if (end.error === undefined) throw new Error("it has no error");
  return end.error;
}

const kindOf = async (action: string) => fingerprintOf(await failure(action), null);

/** Frames of the job's own function. */
const deepFrames = ({ stack = "" }: AttemptError) =>
  stack.split("\n").filter((line) => /^\s+at deep .*unusual\.ts:\d+/.test(line)).length;

describe("what is kept of", () => {
  const hidden = { token: "[masked]" };

  test.each([
    ["object", { thrown: "object", fields: { code: "E_ORDER", detail: { order: 7 }, ...hidden } }],
    ["text", { thrown: "string", message: expect.stringMatching(/^thrown: order 4711/) }],
    ["number", { thrown: "number", message: "thrown: 42" }],
    ["nothing", { thrown: "null", message: "thrown: null" }],
    ["undefined", { thrown: "undefined", message: "thrown: undefined" }],
    ["symbol", { thrown: "symbol", message: "thrown: Symbol(odd)" }],
    ["function", { thrown: "function", message: "thrown: [function deep]" }],
    ["bad-text", { thrown: "object", message: expect.stringContaining("thrown: {") }],
  ])("a thrown %s", async (action, expected) => {
    expect(await failure(action)).toMatchObject({ name: "Error", ...expected });
  });

  test("an object in its message", async () => {
    const { message } = await failure("object");
    expect(message).toBe('thrown: {"code":"E_ORDER","detail":{"order":7},"token":"[masked]"}');
  });

  test("a class of errors that sets no name, and its own fields, without secrets", async () => {
    const error = await failure("class");
    expect(error).toMatchObject({ name: "PaymentRefused", reason: "card_declined" });
    expect(error.fields).toEqual({ code: "card_declined", password: "[masked]", order: 7 });
  });

  test("what the system says", async () => {
    const { fields } = await failure("system");
    expect(fields).toEqual({ code: "ECONNREFUSED", errno: -111, syscall: "connect", status: 0 });
  });

  test("the errors of an aggregate", async () => {
    const error = await failure("aggregate");
    expect(error).toMatchObject({ name: "AggregateError", message: "two of three failed" });
    expect(error.errors).toEqual([
      { name: "TypeError", message: "first" },
      { name: "RangeError", message: "second", fields: { status: 503 } },
    ]);
    expect(error.stack).toContain("Inner error 2 of 2: RangeError: second");
  });

  test("an aggregate that says nothing itself, as Bun makes them", async () => {
    const error = await failure("any");
    expect(error.message).toMatch(/^(TypeError: a; Error: b|All promises were rejected)$/);
    expect(error.stack).toMatch(/Inner error 1 of 2: TypeError: a\n\s+at .*unusual\.ts/);
  });

  test("causes, also one that is no error", async () => {
    const { stack } = await failure("chain");
    expect(stack).toMatch(/Caused by: TypeError: middle\n\s+at /);
    expect(stack).toContain('Caused by: Error: thrown: {"code":"E_INNER"}');
  });

  test("no frames of the platform", async () => {
    const { stack } = await failure("native");
    expect(stack).toMatch(/at toJSON .*unusual\.ts/);
    expect(stack).not.toMatch(/\(unknown\)|\(native|node:async_hooks/);
  });

  test("causes that go round, each once", async () => {
    const { stack } = await failure("cycle");
    expect(stack?.match(/Caused by/g)).toHaveLength(1);
  });

  test.each(["class", "chain", "aggregate", "huge"])(
    "20 frames of its own code: %s",
    async (action) => {
      const error = await failure(action);
      expect(deepFrames(error)).toBeGreaterThanOrEqual(20);
      expect(JSON.stringify(error).length).toBeLessThan(30_000);
    },
  );

  test("a huge message that looks like a stack: its begin, and no frame of it is taken for one", async () => {
    const error = await failure("huge");
    expect(error.message).toMatch(/^line\n.*… \(cut, 2000\d\d characters\)$/s);
    expect(await kindOf("huge")).toMatch(
      /^Error .*unusual\.ts:\d+ deep$|^Error .*unusual\.ts:\d+ huge$/,
    );
  });

  test("an error of another realm", async () => {
    const error = await failure("realm");
    expect(error).toMatchObject({ name: "TypeError", fields: { status: 418 } });
    expect(error.thrown).toBeUndefined();
  });

  test("errors that do not want to be read", async () => {
    expect(await failure("getters")).toMatchObject({
      message: "with getters",
      fields: { code: "[cannot be read]" },
    });
    for (const action of ["hostile", "revoked"]) {
      expect(await failure(action)).toEqual({
        name: "Error",
        message: "thrown: [cannot be read]",
        thrown: "object",
      });
    }
  });
});

describe("the kind of failure", () => {
  test("of thrown objects is their keys and telling values", async () => {
    const kind = await kindOf("object");
    expect(kind).toBe("thrown {code=E_ORDER,detail,token}");
    expect(await kindOf("another-object")).toBe(kind);
    expect(await kindOf("object-with-other-keys")).toBe("thrown {code=E_OTHER,line}");
  });

  test("of thrown texts is their words, without what changes", async () => {
    const kind = await kindOf("text");
    expect(kind).toBe('thrown "order * of customer * cannot be found"');
    expect(await kindOf("another-text")).toBe(kind);
  });

  test("of anything else that is no error is what it is", async () => {
    expect(await kindOf("number")).toBe("thrown number 42");
    expect(await kindOf("nothing")).toBe("thrown null null");
  });

  test("of an aggregate is that of its errors too", async () => {
    expect(await kindOf("aggregate")).toMatch(
      /^AggregateError\[RangeError,TypeError\] .*unusual\.ts:/,
    );
  });
});

describe("half characters leave as U+FFFD", () => {
  test("from results, their keys too, and nothing else is changed", async () => {
    const { end } = await finish(start("result"));
    expect(end.result).toBe(
      '{"text":"\ufffd","\ufffdkey":["\ufffd","😀"],"backslash":"\\\\ud83d"}',
    );
  });

  test("from vars and progress while it runs", async () => {
    const attempt = start("vars", 600_000);
    await until(async () => (await attempt.inspect()).progress !== null);
    const { vars, progress } = await attempt.inspect();
    attempt.stop("cancel");
    expect(vars).toEqual({ text: "\ufffd", "\ufffd": "\ufffd" });
    expect(progress).toEqual({ percent: 10, text: "at \ufffd" });
    const { end } = await finish(attempt);
    expect(isWhole(end)).toBe(true);
  });

  test("from all events of a trace", async () => {
    const { end } = await finish(start("log"));
    const events = end.trace?.events ?? [];
    const types = new Set(events.map(({ type }) => type));
    expect([...types]).toEqual(["state", "log", "progress", "watch", "step", "result"]);
    expect(isWhole(events)).toBe(true);
    expect(JSON.stringify(events)).toContain("step \ufffd");
  });

  test("from errors, their names and fields", async () => {
    const error = await failure("half");
    expect(error).toMatchObject({ name: "Half\ufffd", message: "an error \ufffd" });
    expect(error.fields).toEqual({ note: "\ufffd", "\ufffd": 1 });
    expect(isWhole(error)).toBe(true);
  });

  test("and none is made where a text is cut", async () => {
    const end: AttemptEnd = (await finish(start("cut-log"))).end;
    expect(isWhole(end)).toBe(true);
    expect(JSON.stringify(end.trace)).not.toContain("\ufffd");
  });
});
