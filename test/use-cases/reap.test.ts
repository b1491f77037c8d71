// What is written of attempts whose executor is gone: why, the proof or that there is none, and where they were last.
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import type { LiveView } from "../../src/core/attempt.ts";
import type { EndedAttempt } from "../../src/core/attempt-log.ts";
import type { ClaimedTask } from "../../src/core/task.ts";
import { reapExpired, takeOver } from "../../src/use-cases/reap.ts";
import { eventually } from "../support/eventually.ts";
import {
  addApplication,
  addTask,
  claimTask,
  createWorld,
  SERVICE_ID,
  type World,
} from "../support/use-case-world.ts";

const PLACE = { file: "/jobs/a.ts", line: 3, function: "run" };
const VIEW: LiveView = {
  state: "waiting",
  frames: [PLACE],
  waiting: [{ count: 2, frames: [PLACE] }],
  vars: { page: 3 },
  round: 1,
  elapsedMs: 900,
  progress: { percent: 40 },
  vitals: { cpuMs: 7, heapBytes: 8, rssBytes: 9, memoryAgeMs: 100, eventLoopLagMs: 1 },
  ran: { runtime: "Bun", version: "1", sourceHash: "00" },
};

let world: World;
let task: ClaimedTask;
beforeEach(async () => {
  world = await createWorld();
  const { id: applicationId } = await addApplication(world, { appKey: "one" });
  await addTask(world.store, { applicationId, taskNo: "a", lane: "job", job: "countdown" });
  task = await claimTask(world.store, "job");
});
afterEach(() => world.close());

async function left() {
  const [attempt] = await world.store.attempts.list(task.taskId, 1);
  return { attempt, trace: await world.store.attempts.trace(task.attemptId) };
}

describe("what dies with an executor that was told to stop", () => {
  const told = async () => {
    await world.store.executors.register({ serviceId: SERVICE_ID, host: "here", pid: 1 });
    await world.store.executors.noteStopping(SERVICE_ID);
  };
  const interrupted = {
    outcome: "interrupted",
    charged: false,
    error: {
      reason: "interrupted",
      message: "its executor was told to stop, and ended before the attempt",
    },
  } as const;

  test("is interrupted when its lease has expired, and no death of its task", async () => {
    await told();
    await world.store.tasks.renew([task], 1);
    await eventually(async () => (await reapExpired(world.store)) > 0 || undefined);
    expect((await left()).attempt).toMatchObject({ ...interrupted, receipt: { killed: false } });
    const again = await claimTask(world.store, "job");
    expect(again).toMatchObject({ taskId: task.taskId, deaths: 0, interruptions: 1 });
  });

  test("is told with what a log line needs", async () => {
    const told: EndedAttempt[] = [];
    const onEnd = (ended: EndedAttempt) => told.push(ended);
    await takeOver(world.store, SERVICE_ID, { cause: "died", onEnd });
    expect(told).toMatchObject([
      {
        taskId: task.taskId,
        taskNo: "a",
        job: "countdown",
        appKey: "one",
        attempt: 1,
        maxAttempts: 2,
        end: { outcome: "lost", error: { reason: "lost", fingerprint: expect.any(String) } },
      },
    ]);
    expect(told[0]?.ms).toBeGreaterThanOrEqual(0);
  });

  test("is interrupted with the proof when its main process saw it die", async () => {
    await told();
    await takeOver(world.store, SERVICE_ID, { cause: "died" });
    expect((await left()).attempt).toMatchObject({ ...interrupted, receipt: { killed: true } });
  });
});

describe("taking over from a dead executor", () => {
  test("ends its attempts as lost, with the proof and the last checkpoint as of the death", async () => {
    const excerpts = [{ ...PLACE, first: PLACE.line, lines: ["await turn(page);"] }];
    await world.store.attempts.checkpoint([{ attemptId: task.attemptId, view: VIEW, excerpts }]);
    const before = Date.now();
    await takeOver(world.store, SERVICE_ID, { cause: "died", provenAgoMs: 50, latencyMs: 30 });
    const { attempt, trace } = await left();
    expect(attempt).toMatchObject({
      outcome: "lost",
      error: { reason: "lost", message: "its executor died" },
      receipt: {
        killed: true,
        method: "executor",
        latencyMs: 30,
        reason: "lost",
        by: "executor",
        stack: [PLACE],
      },
    });
    expect(attempt?.receipt?.at).toBeGreaterThanOrEqual(before - 50);
    expect(attempt?.receipt?.at).toBeLessThanOrEqual(Date.now() - 50);
    expect(trace?.autopsy).toMatchObject({ source: "checkpoint", excerpts });
    const ageMs = trace?.autopsy?.ageMs ?? -1;
    expect(trace?.view).toEqual({
      ...VIEW,
      vitals: { ...VIEW.vitals, memoryAgeMs: 100 + ageMs },
    } as LiveView);
  });

  test("believes what the death left on the machine more than the checkpoint", async () => {
    await world.store.attempts.checkpoint([{ attemptId: task.attemptId, view: VIEW }]);
    const spinning = { ...PLACE, line: 9 };
    const excerpts = [{ file: PLACE.file, line: 9, first: 9, lines: ["for (;;);"] }];
    const place = { state: "running" as const, frames: [spinning] };
    await takeOver(world.store, SERVICE_ID, {
      cause: "died",
      findPlace: (id) => (id === task.attemptId ? { place, excerpts } : undefined),
    });
    const { attempt, trace } = await left();
    expect(attempt?.receipt?.stack).toEqual([spinning]);
    const checkpointAgeMs = expect.any(Number);
    expect(trace?.autopsy).toEqual({ source: "memory", ageMs: 0, checkpointAgeMs, excerpts });
    expect(trace?.view).toMatchObject({ ...place, vars: { page: 3 }, progress: { percent: 40 } });
    expect(trace?.view?.waiting).toBeUndefined();
  });

  test("of one that was killed for another attempt hands them back, with the proof", async () => {
    await takeOver(world.store, SERVICE_ID, { cause: "killed", latencyMs: 900 });
    const { attempt, trace } = await left();
    expect(attempt).toMatchObject({
      outcome: "interrupted",
      charged: false,
      error: { reason: "interrupted" },
      receipt: { killed: true, method: "executor", latencyMs: 900, by: "executor", stack: [] },
    });
    expect(trace).toBeNull();
  });
});

test("a lease that expired proves no death", async () => {
  await world.store.tasks.renew([task], 1);
  await world.store.attempts.checkpoint([{ attemptId: task.attemptId, view: VIEW }]);
  while ((await world.store.tasks.expired(1)).length === 0) await world.store.now();
  expect(await reapExpired(world.store)).toBe(1);
  const { attempt, trace } = await left();
  expect(attempt).toMatchObject({
    outcome: "lost",
    receipt: { killed: false, method: "none", reason: "lost", by: "executor" },
  });
  expect(trace?.autopsy?.source).toBe("checkpoint");
});
