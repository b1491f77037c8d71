// What a task shows of itself in each of its states, on a real store and bus.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { LiveView } from "../../src/core/attempt.ts";
import type { LiveQuestion } from "../../src/core/live.ts";
import type { ClaimedTask } from "../../src/core/task.ts";
import { taskDetail } from "../../src/use-cases/task-detail.ts";
import { rejectionOf } from "../support/rejection.ts";
import {
  addApplication,
  addTask,
  COROUTINE_ID,
  claimTask,
  createWorld,
  endAttempt,
  SERVICE_ID,
  type World,
} from "../support/use-case-world.ts";

const VIEW: LiveView = {
  state: "waiting",
  frames: [
    { file: "/jobs/countdown.ts", line: 37, function: "sleepOnce", class: "Countdown" },
    { file: "/jobs/countdown.ts", line: 12, function: "run" },
  ],
  omitted: 7,
  vars: { left: 3 },
  round: 509,
  elapsedMs: 9805.4,
  progress: { percent: 40, text: "day 2 of 5" },
};
const NOWHERE = {
  trace_list: "[]",
  frames_omitted: 0,
  executed_file_name: null,
  executed_function_name: null,
  executed_function_line: null,
  waiting_points: [],
  vars: [],
  round: 0,
  progress: null,
};
const NO_VITALS = {
  moving: false,
  cpu_ms: null,
  heap_bytes: null,
  rss_bytes: null,
  memory_age_ms: null,
  event_loop_lag_ms: null,
};
const PLACE = {
  trace_list: JSON.stringify(VIEW.frames),
  frames_omitted: 7,
  executed_file_name: "/jobs/countdown.ts",
  executed_function_name: "sleepOnce",
  executed_function_line: 37,
  vars: { left: 3 },
  round: 509,
  elapsed: 9805,
  progress: { percent: 40, text: "day 2 of 5" },
};

let world: World;
let applicationId: number;
let created = 0;

beforeAll(async () => {
  world = await createWorld();
  applicationId = (await addApplication(world, { appKey: "E3F5l1uKFcXUe1gd" })).id;
});
afterAll(() => world.close());

function newTask(runAt: number | null = null): Promise<number> {
  created += 1;
  return addTask(world.store, { applicationId, taskNo: `task-${created}`, runAt });
}

async function runningTask(): Promise<ClaimedTask> {
  await newTask();
  return claimTask(world.store);
}

function detail(id: number, more: { coroutineId?: number; serviceId?: string } = {}) {
  return taskDetail(world, { applicationId, id, ...more });
}

async function whileServed<T>(view: LiveView | null, act: () => Promise<T>) {
  const asked: LiveQuestion[] = [];
  const stopServing = await world.bus.serve(SERVICE_ID, async (question) => {
    asked.push(question);
    return view === null ? { kind: "unknown" } : { kind: "view", view };
  });
  try {
    return { seen: await act(), asked };
  } finally {
    await stopServing();
  }
}

describe("a task that has not run", () => {
  test("is queued and nowhere", async () => {
    const id = await newTask();
    expect(await detail(id)).toEqual({
      ...NOWHERE,
      ...NO_VITALS,
      source: "last-known",
      freshness_ms: null,
      state: "queued",
      elapsed: 0,
      id,
      taskNo: `task-${created}`,
      name: "name",
      status: "queued",
      attempt: 0,
      maxAttempts: 2,
      coroutine_id: null,
      service_id: null,
      result: null,
      error: null,
      attempts: [],
      lane: "callback",
      job: null,
      params: null,
      content: {},
      content_cut: false,
      created_at: expect.any(Number),
      created_at_text: expect.stringContaining("+08:00"),
      run_at: expect.any(Number),
      run_at_text: expect.stringContaining("+08:00"),
      next_retry_at: null,
      finished_at: null,
      timeout_ms: 60_000,
      waiting_because: { code: "no_executor", text: "no executor is alive" },
    });
    await claimTask(world.store);
  });

  test("is scheduled until it is due, and is found by its number too", async () => {
    const id = await newTask((await world.store.now()) + 60_000);
    const seen = await taskDetail(world, { applicationId, taskNo: `task-${created}` });
    expect(seen).toMatchObject({ id, state: "scheduled", status: "scheduled" });
  });
});

describe("a running task", () => {
  test("shows where it is, as its executor sees it", async () => {
    const task = await runningTask();
    const { seen, asked } = await whileServed(VIEW, () => detail(task.taskId));
    expect(asked).toEqual([{ kind: "inspect", taskId: task.taskId, fence: task.fence }]);
    expect(seen).toMatchObject({
      ...PLACE,
      state: "waiting",
      status: "running",
      attempt: 1,
      coroutine_id: COROUTINE_ID,
      service_id: SERVICE_ID,
      result: null,
      error: null,
      attempts: [
        {
          attempt: 1,
          outcome: null,
          charged: false,
          started_at: expect.any(Number),
          finished_at: null,
          service_id: SERVICE_ID,
          error: null,
        },
      ],
    });
  });

  test("without vars shows an empty list, without a text null", async () => {
    const task = await runningTask();
    const bare: LiveView = { ...VIEW, state: "running", vars: {}, progress: { percent: 1 } };
    const { seen } = await whileServed(bare, () => detail(task.taskId));
    expect(seen).toMatchObject({
      state: "running",
      vars: [],
      progress: { percent: 1, text: null },
    });
  });

  test.each(["is away", "is silent", "is broken"])(
    "is shown without its place when the bus %s",
    async (how) => {
      const task = await runningTask();
      const bus = {
        ask: () =>
          how === "is broken" ? Promise.reject(new Error("away")) : Promise.resolve(undefined),
      };
      const reference = { applicationId, id: task.taskId };
      const seen = await taskDetail(how === "is away" ? world : { ...world, bus }, reference);
      expect(seen).toMatchObject({
        ...NOWHERE,
        source: "checkpoint",
        state: "running",
        coroutine_id: COROUTINE_ID,
      });
      expect(seen?.elapsed).toBeGreaterThanOrEqual(0);
    },
  );

  test("that ends while it is asked for is shown as ended", async () => {
    const task = await runningTask();
    const bus = {
      ask: async () => {
        await endAttempt(world.store, task, { outcome: "succeeded", result: '"done"' });
        return { kind: "unknown" } as const;
      },
    };
    const seen = await taskDetail({ ...world, bus }, { applicationId, id: task.taskId });
    expect(seen).toMatchObject({ state: "succeeded", result: "done" });
  });
});

describe("an ended task", () => {
  test("shows its result and where it was", async () => {
    const task = await runningTask();
    await endAttempt(world.store, task, {
      outcome: "succeeded",
      result: '{"sum":6,"list":[null]}',
      trace: { view: VIEW, events: [] },
    });
    const seen = await detail(task.taskId);
    expect(seen).toMatchObject({
      ...PLACE,
      state: "succeeded",
      status: "succeeded",
      result: { sum: 6, list: [null] },
      error: null,
      attempts: [{ outcome: "succeeded", charged: true, finished_at: expect.any(Number) }],
    });
  });

  test("shows the last error, its reason too, and every attempt with its own", async () => {
    const error = { name: "Refused", message: "no", stack: "Refused: no\n    at run" };
    const first = await runningTask();
    await endAttempt(world.store, first, { outcome: "failed", error });
    expect(await detail(first.taskId)).toMatchObject({ status: "queued", error });
    const last = { name: "Error", message: "boom", reason: "address_refused" };
    await endAttempt(world.store, await claimTask(world.store), { outcome: "failed", error: last });
    expect(await detail(first.taskId)).toMatchObject({
      state: "failed",
      attempt: 2,
      maxAttempts: 2,
      error: { ...last, stack: null },
      attempts: [
        { attempt: 1, outcome: "failed", error },
        { attempt: 2, outcome: "failed", error: { ...last, stack: null } },
      ],
    });
  });

  test("that begins a new life is nowhere yet, and keeps what led to it", async () => {
    const task = await runningTask();
    const error = { name: "Error", message: "boom", final: true };
    await endAttempt(world.store, task, { outcome: "failed", error });
    const { taskId: id } = task;
    await world.store.tasks.redeliver({ reference: { applicationId, id } });
    expect(await detail(id)).toMatchObject({
      ...NOWHERE,
      status: "queued",
      attempt: 0,
      coroutine_id: null,
      error: null,
      attempts: [{ attempt: 1, outcome: "failed" }],
    });
    await claimTask(world.store);
  });
});

describe("a task is unknown", () => {
  test("when the application has none such", async () => {
    const id = await newTask((await world.store.now()) + 60_000);
    expect(await detail(999_999)).toBeUndefined();
    expect(await taskDetail(world, { applicationId: applicationId + 1, id })).toBeUndefined();
  });

  test("when the attempt the caller names is not the newest one", async () => {
    const { taskId: id } = await runningTask();
    const names = { coroutineId: COROUTINE_ID, serviceId: SERVICE_ID };
    expect(await detail(id, names)).toMatchObject({ id });
    expect(await detail(id, { ...names, coroutineId: COROUTINE_ID + 1 })).toBeUndefined();
    expect(await detail(id, { serviceId: "executor-2" })).toBeUndefined();
    const pending = await newTask((await world.store.now()) + 60_000);
    expect(await detail(pending, { coroutineId: COROUTINE_ID })).toBeUndefined();
  });
});

describe("without a store", () => {
  test("detail is unavailable", async () => {
    const gone = await createWorld();
    await gone.close();
    const looking = taskDetail(gone, { applicationId, id: 1 });
    expect(await rejectionOf(looking)).toMatchObject({ code: "unavailable" });
  });
});
