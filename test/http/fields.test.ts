// Tables over wrong fields of every route: each is named with what is allowed, and nothing sent is echoed.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import {
  type Answer,
  createHarness,
  type Harness,
  type Keys,
  signatureFor,
} from "./http-harness.ts";

const MARK = "zzECHOzz";
const NAME_RULE = "without control characters or white space at its ends";

let harness: Harness;
let keys: Keys;
beforeAll(async () => {
  harness = await createHarness();
  keys = await harness.createApplication();
});
afterAll(() => harness.close());

function errorsIn(answer: Answer): Record<string, string> {
  expect(answer.status).toBe(422);
  expect(answer.text).not.toContain(MARK);
  const { errors } = answer.body.data as { errors: { field: string; message: string }[] };
  return Object.fromEntries(errors.map(({ field, message }) => [field, message]));
}

describe("the fields of /application/create", () => {
  const right = { appName: "a", linkUrl: "http://example.com/x" };
  const send = (extra: Record<string, unknown>) =>
    harness.post("/application/create", { ...right, ...extra });

  test.each([
    ["appName", `text of 1 to 100 characters, ${NAME_RULE}`, ""],
    ["appName", "text of 1 to 100 characters", "x".repeat(101)],
    ["appName", "white space at its ends", ` ${MARK}`],
    ["appName", "white space at its ends", `${MARK}\u3000`],
    ["appName", "control characters", `a\u0000${MARK}`],
    ["appName", "control characters", `a\n${MARK}`],
    ["appName", "text of 1 to 100 characters", `\ud800${MARK}`],
    ["appName", "text of 1 to 100 characters", 7],
    ["appName", "text of 1 to 100 characters", [MARK]],
    ["linkUrl", "an http:// or https:// address of at most 2048 characters", `ftp://${MARK}`],
    ["linkUrl", "an http:// or https:// address", `//${MARK}`],
    ["linkUrl", "an http:// or https:// address", `javascript:${MARK}`],
    ["linkUrl", "an http:// or https:// address", "http://"],
    ["linkUrl", "an http:// or https:// address", `http://a b/${MARK}`],
    ["linkUrl", "at most 2048 characters", `http://a/${"x".repeat(2048)}`],
    ["step", "a whole number from 0 to 3600", -1],
    ["step", "a whole number from 0 to 3600", 3601],
    ["step", "a whole number from 0 to 3600", 1.5],
    ["step", "a whole number from 0 to 3600", "5s"],
    ["step", "a whole number from 0 to 3600", "3601"],
    ["step", "a whole number from 0 to 3600", true],
    ["retryTotal", "a whole number from 0 to 10", 11],
    ["retryTotal", "a whole number from 0 to 10", "-1"],
    ["remark", "text of 0 to 255 characters", "x".repeat(256)],
    ["remark", "text of 0 to 255 characters", 1],
    ["requireBodySignature", "true or false", "TRUE"],
    ["requireBodySignature", "true or false", 2],
    ["successMatch", "one of body, 2xx", "Body"],
    ["successMatch", "one of body, 2xx", ["body"]],
    ["retry", "an object", "linear"],
    ["retry", "an object", [{ step: 1 }]],
  ])("%s: %s", async (field, rule, value) => {
    const errors = errorsIn(await send({ [field]: value }));
    expect(Object.keys(errors)).toEqual([field]);
    expect(errors[field]).toStartWith("must be ");
    expect(errors[field]).toContain(rule);
  });

  test.each([
    [{ appName: "帅".repeat(100) }],
    [{ appName: "😀".repeat(100) }],
    [{ linkUrl: "HTTPS://example.com:8443/x?y=1" }],
    [{ linkUrl: "http://127.0.0.1" }],
    [{ linkUrl: "http://[::1]:80/" }],
    [{ step: 0, retryTotal: 0 }],
    [{ step: 3600, retryTotal: 10 }],
    [{ remark: "" }],
    [{ remark: " spaces and\nlines " }],
    [{ requireBodySignature: true }],
    [{ retry: {} }],
    [{ retry: { strategy: "fixed", step: 3600, max: 100, maxDelay: 86_400, jitter: true } }],
    [{ retry: { step: 0, max: 0, maxDelay: 0, retryOnTimeout: false } }],
  ])("values at their limits are taken", async (extra) => {
    expect((await send(extra)).body.code).toBe(0);
  });

  test.each([
    ["strategy", "one of linear, fixed, exponential", "cubic"],
    ["step", "a whole number from 0 to 3600", 3601],
    ["step", "a whole number from 0 to 3600", "5.0"],
    ["max", "a whole number from 0 to 100", 101],
    ["max", "a whole number from 0 to 100", -1],
    ["maxDelay", "a whole number from 0 to 86400", 86_401],
    ["jitter", "true or false", 2],
    ["retryOnTimeout", "true or false", "no"],
  ])("retry.%s: %s", async (field, rule, value) => {
    const errors = errorsIn(await send({ retry: { step: 1, [field]: value } }));
    expect(errors).toEqual({ [`retry.${field}`]: `must be ${rule}` });
  });

  test("all wrong fields are named at once, also in the message", async () => {
    const answer = await harness.post("/application/create", { step: "x", retryTotal: 99 });
    expect(Object.keys(errorsIn(answer))).toEqual(["appName", "linkUrl", "step", "retryTotal"]);
    expect(answer.body.msg).toContain(
      "linkUrl is missing: it must be an http:// or https:// address",
    );
    expect(answer.body.msg).toContain("retryTotal must be a whole number from 0 to 10");
  });
});

describe("the fields of /task/create", () => {
  const right = { taskNo: "n", name: "x", content: {}, timeout: 1000 };
  const send = (extra: Record<string, unknown>) =>
    harness.postSigned(keys, "/task/create", { ...right, ...extra });

  test.each([
    ["taskNo", "text of 1 to 128 characters", ""],
    ["taskNo", "text of 1 to 128 characters", "x".repeat(129)],
    ["taskNo", "white space at its ends", `${MARK} `],
    ["taskNo", "text of 1 to 128 characters", 82],
    ["name", "text of 1 to 64 characters", "x".repeat(65)],
    ["name", "text of 1 to 64 characters", null],
    ["timeout", "a whole number from 1 to 86400000", 0],
    ["timeout", "a whole number from 1 to 86400000", 86_400_001],
    ["timeout", "a whole number from 1 to 86400000", 0.5],
    ["timeout", "a whole number from 1 to 86400000", "60s"],
    ["content", "a JSON object, or the same as JSON text", [MARK]],
    ["content", "a JSON object, or the same as JSON text", 1],
    ["content", "a JSON object, or the same as JSON text", null],
    ["content", "a JSON object", MARK],
    ["content", "a JSON object", "[1]"],
    ["content", "must not repeat a key", '{"a":1,"a":2}'],
    ["content", "256 KiB", { a: "x".repeat(262_144) }],
    ["runtime", "epoch seconds or milliseconds", true],
    ["runtime", "epoch seconds or milliseconds", -1],
    ["runtime", "epoch seconds or milliseconds", 1.5],
    ["runtime", "YYYY-MM-DD", MARK],
    ["runtime", "365", "2999-01-01 00:00:00"],
  ])("%s: %s", async (field, rule, value) => {
    const errors = errorsIn(await send({ [field]: value }));
    expect(Object.keys(errors)).toEqual([field]);
    expect(errors[field]).toContain(rule);
  });

  test("params are checked against the catalogue, every wrong one named", async () => {
    const content = { class: "greet", params: { who: 7 } };
    const errors = errorsIn(await send({ content }));
    expect(Object.keys(errors).join()).toContain("who");
  });

  test("missing fields are named", async () => {
    const errors = errorsIn(await harness.postSigned(keys, "/task/create", {}));
    expect(Object.keys(errors)).toEqual(["taskNo", "name", "content", "timeout"]);
    expect(errors["timeout"]).toBe("is missing: it must be a whole number from 1 to 86400000");
  });
});

describe("the fields of /task/cancel and /task/detail", () => {
  test.each([
    ["id", "a whole number from 1", "18a"],
    ["id", "a whole number from 1", 0],
    ["id", "a whole number from 1", 1.5],
    ["id", "to 9007199254740991", 2 ** 53],
    ["taskNo", "text of 1 to 128 characters", 5],
    ["coroutine_id", "a whole number from 0", "-6"],
    ["service_id", "text of 1 to 255 characters", 6],
  ])("%s: %s", async (field, rule, value) => {
    const body = { ...(field.endsWith("_id") && { id: 1 }), [field]: value };
    for (const path of ["/task/cancel", "/task/detail"]) {
      const errors = errorsIn(await harness.postSigned(keys, path, body));
      expect(errors[field]).toContain(rule);
    }
  });

  test.each([[{}], [{ coroutine_id: 6 }], [{ id: 1, taskNo: "n" }]])(
    "%p names no task, or two",
    async (body) => {
      for (const path of ["/task/cancel", "/task/detail"]) {
        const errors = errorsIn(await harness.postSigned(keys, path, body));
        expect(errors).toEqual({ id: "or taskNo must be given, and only one of them" });
      }
    },
  );

  test.each([
    ["?id=abc", "id"],
    ["?id=1e3", "id"],
    ["?id=-1", "id"],
    ["?id=0x10", "id"],
    ["?id=", "id"],
    ["?id=99999999999999999", "id"],
    ["?id=1&id=2", "id"],
    ["?taskNo=%20x", "taskNo"],
    ["?id=1&coroutine_id=x", "coroutine_id"],
    ["", "id"],
  ])("the query %p is refused", async (query, field) => {
    const path = `/task/detail${query}`;
    const headers = signatureFor(keys, { method: "GET", path });
    expect(Object.keys(errorsIn(await harness.ask(path, { headers })))).toEqual([field]);
  });
});

describe("the fields of /nsq/publish", () => {
  test.each([[{}], [{ task_id: "x" }], [{ task_id: 0 }], [{ id: 1 }]])(
    "%p is refused",
    async (body) => {
      const errors = errorsIn(await harness.postSigned(keys, "/nsq/publish", body));
      expect(Object.keys(errors)).toEqual(["task_id"]);
    },
  );
});
