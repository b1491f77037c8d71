// Fields that nobody knows: warned of with the nearest name on the original's paths, refused below /api/v1.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import {
  type Answer,
  createHarness,
  type Harness,
  type Keys,
  signatureFor,
} from "./http-harness.ts";

const ignored = "is not known and was ignored";

let harness: Harness;
let keys: Keys;
let created = 0;
beforeAll(async () => {
  harness = await createHarness();
  keys = await harness.createApplication();
});
afterAll(() => harness.close());

const send = (path: string, body: unknown) => harness.postSigned(keys, path, body);

function create(more: Record<string, unknown>): Promise<Answer> {
  created += 1;
  const task = { taskNo: `unknown-${created}`, name: "n", content: {}, timeout: 1000 };
  return send("/task/create", { ...task, ...more });
}

function warningsIn({ body }: Answer): unknown {
  return (body.data as { warnings?: unknown }).warnings;
}

describe("a new task", () => {
  test.each([
    [{ runTime: 1 }, `runTime ${ignored}; did you mean 'runtime'?`],
    [{ run_time: 1 }, `run_time ${ignored}; did you mean 'runtime'?`],
    [{ retry: { maxx: 1 } }, `retry.maxx ${ignored}; did you mean 'retry.max'?`],
    [{ maxDelay: 1 }, `maxDelay ${ignored}; did you mean 'retry.maxDelay'?`],
    [{ retry: { timeout: 1 } }, `retry.timeout ${ignored}; did you mean 'timeout'?`],
    [
      { delay: 5 },
      `delay ${ignored}; the fields here are taskNo, name, content, timeout, runtime, retry`,
    ],
    [
      { retry: { when: 5 } },
      `retry.when ${ignored}; the fields here are retry.strategy, retry.step, retry.max, retry.maxDelay, retry.jitter, retry.retryOnTimeout`,
    ],
  ])("with %j is created with a warning", async (more, warning) => {
    const answer = await create(more);
    expect(answer.body).toMatchObject({ code: 0, data: { taskId: expect.any(Number) } });
    expect(warningsIn(answer)).toEqual([warning]);
  });

  test("with known fields alone has none", async () => {
    expect(warningsIn(await create({ runtime: "", retry: { max: "3" } }))).toBeUndefined();
  });

  test("names what is unknown also when a value had to be read anew", async () => {
    const answer = await create({ timeout: "1000", retry: { max: "3", stp: 1 } });
    expect(warningsIn(answer)).toEqual([`retry.stp ${ignored}; did you mean 'retry.step'?`]);
  });

  test.each([
    ["param", "; did you mean 'content.params'?"],
    ["_prams", "; did you mean 'content._params'?"],
    ["data", "; the fields here are content.class, content._params, content.params"],
  ])("whose content has %s beside its class is warned, also as text", async (name, hint) => {
    const content = { class: "greet", params: { who: "x" }, [name]: {} };
    for (const sent of [content, JSON.stringify(content)]) {
      expect(warningsIn(await create({ content: sent }))).toContain(
        `content.${name} ${ignored}${hint}`,
      );
    }
  });

  test("of a callback may have any content", async () => {
    expect(warningsIn(await create({ content: { param: 1, data: {} } }))).toBeUndefined();
  });

  test("repeated with another unknown field is the same request", async () => {
    const task = { taskNo: "unknown-again", name: "n", content: {}, timeout: 1000 };
    const first = await send("/task/create", task);
    const second = await send("/task/create", { ...task, colour: "red" });
    expect(second.body.data).toMatchObject(first.body.data as object);
    expect(warningsIn(second)).toHaveLength(1);
  });

  test("names ten at most, and echoes no unusual name", async () => {
    const many = Object.fromEntries(Array.from({ length: 200 }, (_, at) => [`field_${at}`, at]));
    expect(warningsIn(await create(many))).toHaveLength(10);
    const answer = await create({ "<b>": 1, ["__proto__"]: 1, 备注: 1 });
    expect(answer.text).not.toContain("<b>");
    expect(warningsIn(answer)).toEqual([
      expect.stringContaining("a field with an unusual name is not known"),
      expect.stringContaining("__proto__ is not known"),
      expect.stringContaining("备注 is not known"),
    ]);
  });

  test("that lacks a field is told of the unknown one that was meant", async () => {
    const answer = await send("/task/create", { task_no: "x", name: "n", content: {}, timeout: 1 });
    expect(answer.status).toBe(422);
    expect(answer.body.msg).toStartWith("taskNo is missing");
    expect(answer.body.msg).toEndWith("(task_no is not known)");
  });
});

describe("other paths of the original", () => {
  test("warn of misspelt options too", async () => {
    const { taskId } = (await create({})).body.data as { taskId: number };
    const forced = await send("/nsq/publish", { task_id: taskId, forced: true });
    expect(warningsIn(forced)).toEqual([`forced ${ignored}; did you mean 'force'?`]);
    const detail = await send("/task/detail", { id: taskId, coroutineId: 1 });
    expect(warningsIn(detail)).toEqual([`coroutineId ${ignored}; did you mean 'coroutine_id'?`]);
    const path = `/task/detail?id=${taskId}&service-id=x`;
    const headers = signatureFor(keys, { method: "GET", path });
    expect(warningsIn(await harness.ask(path, { headers }))).toEqual([
      `service-id ${ignored}; did you mean 'service_id'?`,
    ]);
    const cancelled = await send("/task/cancel", { id: taskId, moed: "graceful" });
    expect(cancelled.body).toMatchObject({ code: 0, data: {} });
    expect(warningsIn(cancelled)).toEqual([`moed ${ignored}; did you mean 'mode'?`]);
    const again = await send("/task/cancel", { id: taskId, wait: 5 });
    expect(again.body).toMatchObject({ code: 1, data: { status: "cancelled" } });
    expect(warningsIn(again)).toHaveLength(1);
  });

  test("keep the original's empty list where a task is unknown", async () => {
    const answer = await send("/task/cancel", { id: 999_999, moed: "kill" });
    expect(answer.body).toEqual({ code: 1, msg: "Unknown!", data: [] });
  });

  test("warn of misspelt fields of an application, besides what they warn of anyway", async () => {
    const body = { appName: "a", linkUrl: "http://10.0.0.1/", retrytotal: 3, sucessMatch: "2xx" };
    const answer = await harness.post("/application/create", body);
    expect(warningsIn(answer)).toEqual([
      expect.stringContaining("is not a public address"),
      `retrytotal ${ignored}; did you mean 'retryTotal'?`,
      `sucessMatch ${ignored}; did you mean 'successMatch'?`,
    ]);
    const { appKey, secretKey } = answer.body.data as Keys;
    const refreshed = { app_key: appKey, secret_key: secretKey, ttl: 5 };
    expect(warningsIn(await harness.post("/application/refresh-signature", refreshed))).toEqual([
      `ttl ${ignored}; the fields here are app_key, secret_key`,
    ]);
  });
});

describe("below /api/v1", () => {
  const path = () => `/api/v1/applications/${keys.appKey}/rotate`;

  test.each([
    [{ graceSeconds: 1, grace: 5 }, [["grace", "is not known; the fields here are graceSeconds"]]],
    [
      { gracSeconds: 1 },
      [
        ["graceSeconds", "(gracSeconds is not known)"],
        ["gracSeconds", "is not known; did you mean 'graceSeconds'?"],
      ],
    ],
  ])("%j is refused and changes nothing", async (body, told) => {
    const answer = await send(path(), body);
    expect(answer.status).toBe(422);
    const { errors } = JSON.parse(answer.text) as { errors: { field: string; message: string }[] };
    expect(errors).toEqual(
      told.map(([field = "", message = ""]) => ({
        field,
        message: expect.stringContaining(message),
      })),
    );
    expect((await send("/task/detail", { id: 999_999 })).body.msg).toBe("Unknown!");
  });
});
