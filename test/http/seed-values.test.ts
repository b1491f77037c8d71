// Values as the original's callers write them: text for numbers, null and "" for nothing, [] for an empty object.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import {
  type Answer,
  createHarness,
  type Harness,
  type Keys,
  signatureFor,
} from "./http-harness.ts";

let harness: Harness;
let keys: Keys;
let created = 0;
beforeAll(async () => {
  harness = await createHarness();
  keys = await harness.createApplication();
});
afterAll(() => harness.close());

function newTask(more: Record<string, unknown> = {}) {
  created += 1;
  return { taskNo: `values-${created}`, name: "n", content: {}, timeout: 1000, ...more };
}

const send = (path: string, body: unknown) => harness.postSigned(keys, path, body);

/** The task as it is stored. */
async function stored(more: Record<string, unknown>) {
  const answer = await send("/task/create", newTask(more));
  expect(answer.text).toContain('"msg":"ok!"');
  const { taskId } = answer.body.data as { taskId: number };
  const found = await harness.store.tasks.find({ applicationId: await ownId(), id: taskId });
  if (found === undefined) throw new Error("an acknowledged task is not there");
  return { ...found.task, answer };
}

async function ownId(): Promise<number> {
  const application = await harness.store.applications.find(keys.appKey);
  if (application === undefined) throw new Error("the application is gone");
  return application.id;
}

function fieldsIn(answer: Answer): readonly string[] {
  expect(answer.status).toBe(422);
  return (answer.body.data as { errors: { field: string }[] }).errors.map(({ field }) => field);
}

describe("a new task", () => {
  test("takes digits for every number and words for every flag", async () => {
    const retry = { step: "7", max: "3", maxDelay: "60", jitter: "1", retryOnTimeout: "false" };
    expect(await stored({ timeout: "60000", retry })).toMatchObject({
      timeoutMs: 60_000,
      retry: { stepS: 7, total: 3, maxDelayS: 60, jitter: true, retryOnTimeout: false },
    });
  });

  test("is the same request as with numbers", async () => {
    const task = newTask({ timeout: 60_000, retry: { step: 7 } });
    const first = await send("/task/create", task);
    const again = { ...task, timeout: "60000", retry: { step: "7", max: null }, runtime: "" };
    expect((await send("/task/create", again)).body).toEqual(first.body);
  });

  test.each([[""], [null], [0], ["0"]])("with the runtime %j is due now", async (runtime) => {
    const { runAt, answer } = await stored({ runtime });
    expect(runAt).toBeLessThanOrEqual(await harness.store.now());
    expect(answer.body.data).not.toHaveProperty("runAt");
  });

  test("with a date alone is due at its midnight in APP_TIMEZONE", async () => {
    const now = await harness.store.now();
    const date = new Date(now + 40 * 86_400_000).toISOString().slice(0, 10);
    const { runAt, answer } = await stored({ runtime: date });
    expect(runAt).toBe(Date.parse(`${date}T00:00:00+08:00`));
    expect(answer.body.data).toMatchObject({ runAtText: `${date}T00:00:00.000+08:00` });
  });

  test.each([[null], [""], [[]], [{ strategy: null, step: "" }]])(
    "with retry %j has the application's",
    async (retry) => {
      expect(await stored({ retry })).toMatchObject({ retry: { stepS: 5, total: 5 } });
    },
  );

  test.each([[[]], ["[]"], ["{}"], [{}]])(
    "with content %j has an empty object",
    async (content) => {
      expect(await stored({ content })).toMatchObject({ content: "{}", lane: "callback" });
    },
  );

  test.each([
    [{ timeout: "" }, ["timeout"]],
    [{ timeout: null }, ["timeout"]],
    [{ timeout: "0" }, ["timeout"]],
    [{ timeout: " 5" }, ["timeout"]],
    [{ timeout: "+5" }, ["timeout"]],
    [{ timeout: "5.0" }, ["timeout"]],
    [{ timeout: "0x10" }, ["timeout"]],
    [{ timeout: [] }, ["timeout"]],
    [{ timeout: "60000", name: null }, ["name"]],
    [{ content: null }, ["content"]],
    [{ content: [1] }, ["content"]],
    [{ runtime: "2026-12-32" }, ["runtime"]],
    [{ runtime: [] }, ["runtime"]],
    [{ retry: [1] }, ["retry"]],
    [{ retry: { step: "7", jitter: "yes" } }, ["retry.jitter"]],
  ])("with %j is refused", async (wrong, fields) => {
    expect(fieldsIn(await send("/task/create", newTask(wrong)))).toEqual(fields);
  });
});

describe("params", () => {
  test.each(["params", "_params"])(
    "that are wrong are named as they were sent: %s",
    async (name) => {
      const wrong = newTask({ content: { class: "greet", [name]: { who: 7 } } });
      expect(fieldsIn(await send("/task/create", wrong))).toEqual([`content.${name}.who`]);
      // What is missing of [] is what would be missing of {}.
      const empty = newTask({ content: { class: "greet", [name]: [] } });
      expect(fieldsIn(await send("/task/create", empty))).toEqual([`content.${name}.who`]);
    },
  );
});

describe("the fields that name a task", () => {
  test("may be digits, and empty when they are optional", async () => {
    const { id } = await stored({});
    const which = { id: String(id), taskNo: null, coroutine_id: "", service_id: "" };
    expect((await send("/task/detail", which)).body).toMatchObject({ data: { id } });
    const path = `/task/detail?id=${id}&coroutine_id=&service_id=&taskNo=`;
    const headers = signatureFor(keys, { method: "GET", path });
    expect((await harness.ask(path, { headers })).body).toMatchObject({ data: { id } });
    const published = await send("/nsq/publish", { task_id: String(id), force: "0" });
    expect(published.body).toMatchObject({ code: 0 });
    const cancelled = await send("/task/cancel", { ...which, mode: "", waitMs: "100" });
    expect(cancelled.body).toEqual({ code: 0, msg: "ok!", data: {} });
  });

  test.each([
    ["/task/cancel", { id: "" }, "id"],
    ["/task/cancel", { id: null, taskNo: "" }, "id"],
    ["/task/cancel", { id: 1, taskNo: 5 }, "taskNo"],
    ["/nsq/publish", { task_id: "" }, "task_id"],
    ["/nsq/publish", { task_id: null }, "task_id"],
    ["/nsq/publish", { task_id: "1", force: "maybe" }, "force"],
  ])("%s refuses %j", async (path, body, field) => {
    expect(fieldsIn(await send(path, body))).toEqual([field]);
  });
});

test("a new application takes digits and words too", async () => {
  const { appKey = "" } = await harness.createApplication({
    step: "10",
    retryTotal: "0",
    remark: null,
    requireBodySignature: "true",
    successMatch: "",
    retry: [],
  });
  expect(await harness.store.applications.find(appKey)).toMatchObject({
    requireBodySignature: true,
    successMatch: "body",
    retry: { stepS: 10, total: 0 },
  });
});

test("below /api/v1 text is no number", async () => {
  const path = `/api/v1/applications/${keys.appKey}/rotate`;
  expect((await send(path, { graceSeconds: "3600" })).status).toBe(422);
});
