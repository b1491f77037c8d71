// How fresh the place of a running task is, and what the attempt uses up, on a real store and bus.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { LiveView } from "../../src/core/attempt.ts";
import type { ClaimedTask } from "../../src/core/task.ts";
import { taskDetail } from "../../src/use-cases/task-detail.ts";
import {
  addApplication,
  addTask,
  claimTask,
  createWorld,
  endAttempt,
  SERVICE_ID,
  type World,
} from "../support/use-case-world.ts";

/** The clocks of the database and of this process count whole milliseconds. */
const CLOCKS_MS = 5;

const VIEW: LiveView = {
  state: "waiting",
  frames: [{ file: "/jobs/countdown.ts", line: 37, function: "sleepOnce", class: "Countdown" }],
  vars: { left: 3 },
  round: 509,
  elapsedMs: 9805.4,
  progress: { percent: 40, text: "day 2 of 5" },
};
const PLACE = { executed_function_line: 37, vars: { left: 3 }, round: 509, elapsed: 9805 };

let world: World;
let applicationId: number;
let created = 0;

beforeAll(async () => {
  world = await createWorld();
  applicationId = (await addApplication(world, { appKey: "freshness" })).id;
});
afterAll(() => world.close());

async function runningTask(): Promise<ClaimedTask> {
  created += 1;
  await addTask(world.store, { applicationId, taskNo: `task-${created}` });
  return claimTask(world.store);
}

function detail(id: number) {
  return taskDetail(world, { applicationId, id });
}

describe("a running task", () => {
  test("is shown as its last checkpoint says when nobody can be asked", async () => {
    const before = Date.now();
    const task = await runningTask();
    const old = { ...VIEW, round: 1 };
    await world.store.attempts.checkpoint([{ attemptId: task.attemptId, view: old }]);
    await world.store.attempts.checkpoint([{ attemptId: task.attemptId, view: VIEW }]);
    const seen = await detail(task.taskId);
    expect(seen).toMatchObject({ ...PLACE, source: "checkpoint", state: "waiting" });
    expect(seen?.freshness_ms).toBeGreaterThanOrEqual(0);
    expect(seen?.freshness_ms).toBeLessThanOrEqual(Date.now() - before + CLOCKS_MS);
  });

  test("shows what it uses up when its executor can tell", async () => {
    const task = await runningTask();
    const vitals = {
      cpuMs: 120,
      heapBytes: 5_000_000,
      rssBytes: 90_000_000,
      memoryAgeMs: 40,
      eventLoopLagMs: 900,
    };
    const view: LiveView = { ...VIEW, moving: true, vitals };
    const stop = await world.bus.serve(SERVICE_ID, async () => ({ kind: "view", view }));
    const before = Date.now();
    const seen = await detail(task.taskId);
    const tookMs = Date.now() - before;
    await stop();
    expect(seen).toMatchObject({
      source: "live",
      moving: true,
      cpu_ms: 120,
      heap_bytes: 5_000_000,
      rss_bytes: 90_000_000,
      memory_age_ms: 40,
      event_loop_lag_ms: 900,
    });
    expect(seen?.freshness_ms).toBeLessThanOrEqual(tookMs + CLOCKS_MS);
  });
});

test("an ended task shows when it was last there", async () => {
  const task = await runningTask();
  const trace = { view: VIEW, events: [] };
  await endAttempt(world.store, task, { outcome: "succeeded", result: "1", trace });
  const seen = await detail(task.taskId);
  expect(seen).toMatchObject({ ...PLACE, source: "last-known", moving: false });
  expect(seen?.freshness_ms).toBeGreaterThanOrEqual(0);
});
