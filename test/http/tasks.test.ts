// What the routes of tasks answer, on a real store: create, detail, cancel and publish through a task's states.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { randomUUID } from "node:crypto";
import type { LeaseReference } from "../../src/store/store.ts";
import { createHarness, type Harness, type Keys } from "./http-harness.ts";

const UNKNOWN = { code: 1, msg: "Unknown!", data: [] };

let harness: Harness;
let keys: Keys;
beforeAll(async () => {
  harness = await createHarness();
  keys = await harness.createApplication();
});
afterAll(() => harness.close());

const post = async (path: string, body: unknown, sender = keys) => {
  const answer = await harness.postSigned(sender, path, body);
  expect(answer.status).toBe(200);
  return answer.body;
};

async function createTask(extra: Record<string, unknown> = {}): Promise<number> {
  const task = { taskNo: randomUUID(), name: "test", content: { order: 1 }, timeout: 1000 };
  const { code, msg, data } = await post("/task/create", { ...task, ...extra });
  expect([code, msg]).toEqual([0, "ok!"]);
  return (data as { taskId: number }).taskId;
}

/** Claims the newest task of the callback lane, as a consumer would. */
async function claim(): Promise<LeaseReference> {
  const turn = await harness.store.tasks.turn([], {
    lane: "callback",
    serviceId: "executor-7",
    leaseMs: 15_000,
    jobs: null,
    coroutineIds: [42],
  });
  const [claimed] = turn.claimed;
  if (claimed === undefined) throw new Error("nothing was due");
  const { taskId, attemptId, fence } = claimed;
  return { taskId, attemptId, fence };
}

describe("POST /task/create", () => {
  test("answers the id of a task that is stored", async () => {
    const id = await createTask({ taskNo: "stored-1" });
    const found = await harness.store.tasks.find({ applicationId: 1, id });
    expect(found?.task).toMatchObject({ taskNo: "stored-1", lane: "callback", status: "pending" });
    await post("/task/cancel", { id });
  });

  test("a content with class is a job, by its name or an alias", async () => {
    for (const name of ["greet", "\\Demo\\Greet"]) {
      const id = await createTask({ content: { class: name, _params: { who: "x" } } });
      const found = await harness.store.tasks.find({ applicationId: 1, id });
      expect(found?.task).toMatchObject({ lane: "job", job: "greet" });
    }
  });

  test("an unknown class is refused with the nearest names", async () => {
    const body = { taskNo: "c1", name: "x", content: { class: "gret" }, timeout: 1 };
    const answer = await post("/task/create", body);
    expect(answer).toMatchObject({ code: 1, data: [] });
    expect(answer.msg).toContain("greet");
  });

  test("the same taskNo with another request is refused in the seed's words", async () => {
    const task = { taskNo: "twice", name: "x", content: { a: 1, b: 2 }, timeout: 1000 };
    const first = await post("/task/create", task);
    const asText = { ...task, content: '{ "b": 2, "a": 1 }' };
    expect(await post("/task/create", asText)).toEqual(first);
    const other = await post("/task/create", { ...task, timeout: 1001 });
    const { taskId } = first.data as { taskId: number };
    const data = { taskId, differs: ["timeout"] };
    expect(other).toEqual({ code: 1, msg: "请勿重复提交!", data });
    await post("/task/cancel", { taskNo: "twice" });
  });

  test.each([
    ["name", { name: "y" }],
    ["content", { content: { a: 1, b: 2 } }],
    ["runtime", { runtime: Date.now() + 90_000 }],
    ["retry", { retry: { max: 7 } }],
  ])("a repetition with another %s is told so", async (field, change) => {
    const taskNo = `differs-${field}`;
    const task = { taskNo, name: "x", content: { a: 1 }, timeout: 1000 };
    const first = await post("/task/create", { ...task, runtime: Date.now() + 60_000 });
    const { taskId, runAt } = first.data as { taskId: number; runAt: number };
    const other = await post("/task/create", { ...task, runtime: runAt, ...change });
    expect(other.data).toEqual({ taskId, differs: [field] });
    await post("/task/cancel", { taskNo });
  });

  test("unknown fields are ignored", async () => {
    await post("/task/cancel", { id: await createTask({ color: "red" }) });
  });
});

describe("/task/detail", () => {
  test("shows a task by id and by taskNo", async () => {
    const id = await createTask({ taskNo: "detail-1", runtime: Date.now() + 60_000 });
    const byId = await post("/task/detail", { id });
    expect(byId).toMatchObject({
      code: 0,
      msg: "ok!",
      data: {
        id,
        taskNo: "detail-1",
        name: "test",
        status: "scheduled",
        state: "scheduled",
        trace_list: "[]",
        vars: [],
        attempt: 0,
        maxAttempts: 6,
        attempts: [],
      },
    });
    expect(await post("/task/detail", { taskNo: "detail-1" })).toEqual(byId);
    await post("/task/cancel", { id });
  });

  test("a wrong place makes the task unknown", async () => {
    const id = await createTask();
    await claim();
    const right = { id, coroutine_id: 42, service_id: "executor-7" };
    expect((await post("/task/detail", right)).code).toBe(0);
    expect(await post("/task/detail", { ...right, coroutine_id: 43 })).toEqual(UNKNOWN);
    expect(await post("/task/detail", { ...right, service_id: "other" })).toEqual(UNKNOWN);
    expect(await post("/task/cancel", { ...right, coroutine_id: 43 })).toEqual(UNKNOWN);
    expect(await post("/nsq/publish", { task_id: id })).toMatchObject({
      code: 1,
      data: { status: "running" },
    });
  });

  test("the tasks of another application are unknown", async () => {
    const id = await createTask();
    const other = await harness.createApplication();
    expect(await post("/task/detail", { id }, other)).toEqual(UNKNOWN);
    expect(await post("/task/cancel", { id }, other)).toEqual(UNKNOWN);
    expect(await post("/nsq/publish", { task_id: id }, other)).toEqual(UNKNOWN);
    await post("/task/cancel", { id });
  });
});

describe("POST /task/cancel", () => {
  test("a pending task is cancelled, a second time it is finished", async () => {
    const id = await createTask();
    expect(await post("/task/cancel", { id })).toEqual({ code: 0, msg: "ok!", data: {} });
    expect(await post("/task/cancel", { id })).toMatchObject({
      code: 1,
      data: { status: "cancelled" },
    });
  });

  test.each([
    [
      true,
      "Killed",
      {
        killed: true,
        method: "thread",
        latency_ms: 21,
        stack: [],
        reason: "cancelled",
        by: "application",
        at: null,
      },
    ],
    [false, "Killing", { killed: false, pending: true }],
  ])("a running task whose death is proven (%p) answers %s", async (killed, msg, data) => {
    const id = await createTask();
    const lease = await claim();
    const receipt = { killed, method: "thread" as const, latencyMs: 21 };
    const unserve = await harness.bus.serve("executor-7", async () => {
      const end = { outcome: "cancelled" as const, receipt };
      const next = { kind: "terminal" as const, status: "cancelled" as const };
      await harness.store.tasks.turn([{ ...lease, end, charged: false, next }], null);
      return { kind: "receipt", receipt };
    });
    expect(await post("/task/cancel", { id })).toEqual({ code: 0, msg, data });
    await unserve();
  });

  test("an unknown task is Unknown!", async () => {
    expect(await post("/task/cancel", { id: 18, coroutine_id: 6 })).toEqual(UNKNOWN);
    expect(await post("/task/cancel", { taskNo: "never" })).toEqual(UNKNOWN);
  });
});

describe("POST /nsq/publish", () => {
  test("rings for a pending task and gives a cancelled one a new life", async () => {
    const rung = { code: 0, msg: "ok!", data: {} };
    const id = await createTask({ runtime: Date.now() + 60_000 });
    expect(await post("/nsq/publish", { task_id: id })).toEqual(rung);
    await post("/task/cancel", { id });
    expect(await post("/nsq/publish", { task_id: id })).toEqual(rung);
    const found = await harness.store.tasks.find({ applicationId: 1, id });
    expect(found?.task).toMatchObject({ status: "pending", life: 2 });
  });

  test("an unknown task is Unknown!", async () => {
    expect(await post("/nsq/publish", { task_id: 123_456 })).toEqual(UNKNOWN);
  });
});

describe("while the database is away", () => {
  test("every route that needs it is 503 with Retry-After", async () => {
    const broken = await createHarness();
    const lost = await broken.createApplication();
    await broken.store.close();
    const answers = await Promise.all([
      broken.post("/application/create", { appName: "x", linkUrl: "http://127.0.0.1" }),
      broken.postSigned(lost, "/task/detail", { id: 1 }),
      broken.postSigned({ ...lost, appKey: "x" }, "/task/cancel", { id: 1 }),
    ]);
    for (const answer of answers) {
      expect(answer.status).toBe(503);
      expect(Number(answer.headers.get("retry-after"))).toBeGreaterThan(0);
      expect(answer.body).toMatchObject({ code: 1, data: [] });
    }
  });
});
