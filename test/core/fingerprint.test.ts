// What groups failures: equal for one kind, different for another, and nothing in it that a secret could hide in.
import { describe, expect, test } from "bun:test";
import type { AttemptError } from "../../src/core/attempt.ts";
import { fingerprintOf, withFingerprint } from "../../src/core/fingerprint.ts";

const LINK = "https://user:hunter2@shop.example/hook/secret?key=hunter2";

function error(change: Partial<AttemptError>): AttemptError {
  return { name: "CallbackError", message: "it failed at 12:00", ...change };
}

describe("the fingerprint of a delivery", () => {
  test.each([
    [{ status: 503, reason: "status_not_2xx" }, "shop.example:443 503"],
    [{ code: "ECONNREFUSED", reason: "connect_failed" }, "shop.example:443 ECONNREFUSED"],
    [{ reason: "body_not_success" }, "shop.example:443 body_not_success"],
    [{ name: "TimeoutError", reason: "timeout" }, "shop.example:443 timeout"],
    [{ name: "Odd" }, "shop.example:443 Odd"],
  ])("%j is %s", (change, expected) => {
    expect(fingerprintOf(error(change), LINK)).toBe(expected);
  });

  test("names the port that is meant, and no path, query, user or password", () => {
    const of = (linkUrl: string) => fingerprintOf(error({ status: 500 }), linkUrl);
    expect(of("http://shop.example/")).toBe("shop.example:80 500");
    expect(of("http://shop.example:8080/a")).toBe("shop.example:8080 500");
    expect(of("http://[::1]:8080/a")).toBe("[::1]:8080 500");
    expect(of("not a url")).toBe("(no url) 500");
    expect(of(LINK)).not.toContain("hunter2");
  });
});

describe("the fingerprint of a job's failure", () => {
  const stack = (...frames: string[]) => ["TypeError: x is 7", ...frames].join("\n");
  const of = (text: string, change: Partial<AttemptError> = {}) =>
    fingerprintOf({ name: "TypeError", message: "x is 7", stack: text, ...change }, null);

  test("is its name and the innermost frame of its own code", () => {
    const frames = [
      "    at validate (/srv/jobs/node_modules/some/index.js:4:5)",
      "    at node:internal/process/task_queues:95:5",
      "    at async render (/srv/app/jobs/send-mail.ts:12:9)",
      "    at run (/srv/app/jobs/send-mail.ts:40:3)",
    ];
    expect(of(stack(...frames))).toBe("TypeError jobs/send-mail.ts:12 render");
  });

  test("is the same on another host, with another message and another column", () => {
    const here = of(stack("    at run (/srv/a/jobs/mail.ts:12:9)"), { message: "x is 8" });
    const there = of(stack("    at run (file:///home/b/jobs/mail.ts:12:30)"));
    expect(here).toBe(there);
    expect(of(stack("    at run (/srv/a/jobs/mail.ts:13:9)"))).not.toBe(here);
    expect(of(stack("    at run (/srv/a/jobs/mail.ts:12:9)"), { name: "RangeError" })).not.toBe(
      here,
    );
  });

  test("knows frames without a name, and classes", () => {
    expect(of(stack("    at /srv/jobs/mail.ts:3:1"))).toBe("TypeError jobs/mail.ts:3 (anonymous)");
    expect(of(stack("    at new Mailer (/srv/jobs/mail.ts:3:1)"))).toBe(
      "TypeError jobs/mail.ts:3 new Mailer",
    );
  });

  test("passes over the frames of the platform itself", () => {
    const sdk = new URL("../../src/sdk/errors.ts", import.meta.url).pathname;
    const own = "    at run (/srv/jobs/mail.ts:3:1)";
    expect(of(stack(`    at step (${sdk}:9:1)`, own))).toBe("TypeError jobs/mail.ts:3 run");
  });

  test("without a frame is its name and reason", () => {
    expect(of("TypeError: x")).toBe("TypeError");
    expect(of("TypeError: x", { reason: "timeout" })).toBe("TypeError timeout");
    expect(fingerprintOf({ name: "TimeoutError", message: "m", reason: "timeout" }, null)).toBe(
      "TimeoutError timeout",
    );
  });

  test.each([
    ["order 4711 of a1b2c3 is gone", '"order * of * is gone"'],
    ["订单4711不存在", '"订单*不存在"'],
    ["no mail to bob@shop.example, see /srv/x", '"no mail to *, see *"'],
    ["token=hunter2 sk-abcdefghijklmnopqrstuvwxyz", '"* *"'],
    ["", '""'],
  ])("of a thrown text is its words: %s", (text, words) => {
    const message = `thrown: ${text}`;
    expect(fingerprintOf({ name: "Error", message, thrown: "string" }, null)).toBe(
      `thrown ${words}`,
    );
  });

  test("of a thrown object is its keys, with values that tell a kind and are single words", () => {
    const fields = { status: 503, code: "E_X", type: "a long text", note: "x", token: "[masked]" };
    const thrown = { name: "Error", message: "thrown: {…}", thrown: "object", fields };
    expect(fingerprintOf(thrown, null)).toBe("thrown {code=E_X,note,status=503,token,type}");
    const named = { ...thrown, name: "Refusal", fields: {} };
    expect(fingerprintOf(named, null)).toBe("thrown Refusal{}");
  });

  test("of an aggregate names the kinds of its errors, each once", () => {
    const errors = ["TypeError", "RangeError", "TypeError"].map((name) => ({ name, message: "m" }));
    expect(of("", { name: "AggregateError", errors })).toBe("AggregateError[RangeError,TypeError]");
  });

  test("is at most 200 characters, and no half character", () => {
    const long = of("", { name: `${"x".repeat(199)}😀` });
    expect(long).toHaveLength(200);
    expect(long.isWellFormed()).toBe(true);
  });
});

describe("an end", () => {
  const task = { lane: "callback", application: { linkUrl: LINK } } as const;

  test("gets the fingerprint of its error, by the lane it ran in", () => {
    const end = { outcome: "failed", error: error({ status: 500 }) } as const;
    expect(withFingerprint(end, task).error?.fingerprint).toBe("shop.example:443 500");
    const inJob = withFingerprint(end, { ...task, lane: "job" });
    expect(inJob.error?.fingerprint).toBe("CallbackError");
  });

  test("without an error is left alone", () => {
    const end = { outcome: "succeeded", result: "1" } as const;
    expect(withFingerprint(end, task)).toBe(end);
  });
});
