// Cancelling on a real store and bus, with the executor played by the test: cancelled XOR completed.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { AttemptEnd, KillReceipt } from "../../src/core/attempt.ts";
import type { LiveAnswer, LiveQuestion } from "../../src/core/live.ts";
import type { ClaimedTask } from "../../src/core/task.ts";
import type { SignedChange } from "../../src/store/store.ts";
import { type CancelAnswer, cancelTask } from "../../src/use-cases/cancel-task.ts";
import { patienceMs } from "../support/patience.ts";
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

const WAIT_MS = 60_000;
const DEAD: KillReceipt = { killed: true, method: "thread", latencyMs: 21 };
const UNDEAD: KillReceipt = { killed: false, method: "none", latencyMs: 2_000 };

const kill = (waitMs: number) => ({ mode: "kill", waitMs }) as const;

let world: World;
let applicationId: number;
let created = 0;

beforeAll(async () => {
  world = await createWorld();
  applicationId = (await addApplication(world, { appKey: "E3F5l1uKFcXUe1gd" })).id;
});
afterAll(() => world.close());

function newTask(): Promise<number> {
  created += 1;
  return addTask(world.store, { applicationId, taskNo: `task-${created}` });
}

async function runningTask(): Promise<ClaimedTask> {
  const id = await newTask();
  const task = await claimTask(world.store);
  if (task.taskId !== id) throw new Error(`claimed ${task.taskId} instead of ${id}`);
  return task;
}

function cancel(id: number, more: Partial<SignedChange> = {}, waitMs = WAIT_MS) {
  return cancelTask(world, { reference: { applicationId, id }, ...more }, kill(waitMs));
}

async function statusOf(id: number): Promise<string | undefined> {
  return (await world.store.tasks.find({ applicationId, id }))?.task.status;
}

/** Plays the executor that owns the attempt: what it does when it is asked over the bus. */
async function withExecutor<T>(
  answer: (question: LiveQuestion) => Promise<LiveAnswer>,
  act: () => Promise<T>,
): Promise<T> {
  const stopServing = await world.bus.serve(SERVICE_ID, answer);
  try {
    return await act();
  } finally {
    await stopServing();
  }
}

describe("a pending task", () => {
  test("is cancelled and never claimed", async () => {
    const id = await newTask();
    expect(await cancel(id)).toEqual({ kind: "cancelled" });
    expect(await statusOf(id)).toBe("cancelled");
    expect(await rejectionOf(claimTask(world.store))).toMatchObject({ message: "nothing is due" });
  });

  test("that waits for its retry is cancelled too", async () => {
    const task = await runningTask();
    const error = { name: "Error", message: "boom" };
    await endAttempt(world.store, task, { outcome: "failed", error });
    expect(await cancel(task.taskId)).toEqual({ kind: "cancelled" });
  });
});

describe("a running task", () => {
  test("is killed: the executor is asked with its fence, and its receipt is the answer", async () => {
    const task = await runningTask();
    const asked: LiveQuestion[] = [];
    const answer = await withExecutor(
      async (question) => {
        asked.push(question);
        await endAttempt(world.store, task, { outcome: "cancelled" });
        return { kind: "receipt", receipt: DEAD };
      },
      () => cancel(task.taskId),
    );
    expect(answer).toEqual({ kind: "killed", receipt: DEAD });
    const { taskId, fence } = task;
    expect(asked).toEqual([{ kind: "cancel", taskId, fence, graceMs: 0 }]);
    expect(await statusOf(task.taskId)).toBe("cancelled");
  });

  test("is killed without a bus: the executor finds the request, the attempt has the receipt", async () => {
    const task = await runningTask();
    const answering = cancel(task.taskId);
    const requested = await untilRequested(task);
    expect(requested).toBe(true);
    await endAttempt(world.store, task, { outcome: "cancelled", receipt: DEAD });
    expect(await answering).toEqual({ kind: "killed", receipt: DEAD });
  });

  test("is killed although the bus breaks, and the log says so", async () => {
    const task = await runningTask();
    const bus = { ask: () => Promise.reject(new Error("redis is away")) };
    const change = { reference: { applicationId, id: task.taskId } };
    const answering = cancelTask({ ...world, bus }, change, kill(WAIT_MS));
    expect(await untilRequested(task)).toBe(true);
    await endAttempt(world.store, task, { outcome: "cancelled", receipt: DEAD });
    expect(await answering).toMatchObject({ kind: "killed" });
    const fields = { task_id: task.taskId, error: "redis is away" };
    expect(world.lines).toMatchObject([{ level: "warn", fields }]);
  });

  test("that cannot be proven dead in time goes on being killed", async () => {
    const task = await runningTask();
    expect(await cancel(task.taskId, {}, 30)).toEqual({ kind: "killing" });
    expect(await statusOf(task.taskId)).toBe("running");
    const waiting = cancel(task.taskId);
    await endAttempt(world.store, task, { outcome: "cancelled", receipt: DEAD });
    expect(await waiting).toMatchObject({ kind: "killed" });
  });

  test("that is not to be waited for answers after one look", async () => {
    const task = await runningTask();
    expect(await cancel(task.taskId, {}, 0)).toEqual({ kind: "killing" });
    await endAttempt(world.store, task, { outcome: "cancelled", receipt: DEAD });
  });

  test("is not called killed while its thread lives, although the task is cancelled", async () => {
    const task = await runningTask();
    const answer = await withExecutor(
      async () => {
        await endAttempt(world.store, task, { outcome: "cancelled", receipt: UNDEAD });
        return { kind: "receipt", receipt: UNDEAD };
      },
      () => cancel(task.taskId),
    );
    expect(answer).toEqual({ kind: "killing" });
    expect(await statusOf(task.taskId)).toBe("cancelled");
  });

  test("is not called killed on the executor's word alone", async () => {
    const task = await runningTask();
    const answer = await withExecutor(
      async () => ({ kind: "receipt", receipt: DEAD }),
      () => cancel(task.taskId, {}, 100),
    );
    expect(answer).toEqual({ kind: "killing" });
    await endAttempt(world.store, task, { outcome: "cancelled", receipt: DEAD });
  });

  test("whose attempt named by the caller is the running one is meant", async () => {
    const task = await runningTask();
    const answering = cancel(task.taskId, { coroutineId: COROUTINE_ID, serviceId: SERVICE_ID });
    await endAttempt(world.store, task, { outcome: "cancelled", receipt: DEAD });
    expect(await answering).toMatchObject({ kind: "killed" });
  });

  test.each([
    { coroutineId: COROUTINE_ID + 1 },
    { serviceId: "executor-2" },
    { coroutineId: COROUTINE_ID, serviceId: "executor-2" },
  ])("whose attempt is not %j is unknown and runs on", async (other) => {
    const task = await runningTask();
    expect(await cancel(task.taskId, other)).toEqual({ kind: "unknown" });
    await endAttempt(world.store, task, { outcome: "succeeded", result: "1" });
    expect(await statusOf(task.taskId)).toBe("succeeded");
  });
});

describe("an attempt that ended before the kill", () => {
  // The request was there, the end is what the store says.
  const ends: readonly [string, AttemptEnd, CancelAnswer][] = [
    ["a success wins", { outcome: "succeeded", result: "1" }, finished("succeeded")],
    ["a failure with retries left is the last one", failed(false), { kind: "cancelled" }],
    ["a failure without retries left is the cancel's", failed(true), { kind: "cancelled" }],
    ["an interruption is the last one", { outcome: "interrupted" }, { kind: "cancelled" }],
    ["a lost executor's task is not run again", { outcome: "lost" }, { kind: "cancelled" }],
  ];

  test.each(ends)("%s", async (_what, end, expected) => {
    const task = await runningTask();
    const answer = await withExecutor(
      async () => {
        await endAttempt(world.store, task, end);
        return { kind: "unknown" };
      },
      () => cancel(task.taskId),
    );
    expect(answer).toEqual(expected);
    expect(await rejectionOf(claimTask(world.store))).toMatchObject({ message: "nothing is due" });
  });
});

describe("a finished task", () => {
  test("stays as it is and says how it ended", async () => {
    const task = await runningTask();
    await endAttempt(world.store, task, { outcome: "succeeded", result: "1" });
    expect(await cancel(task.taskId)).toEqual({ kind: "finished", status: "succeeded" });
    const cancelled = await newTask();
    await cancel(cancelled);
    expect(await cancel(cancelled)).toEqual({ kind: "finished", status: "cancelled" });
  });
});

describe("what nobody has", () => {
  test("is unknown, as is the task of another application", async () => {
    const id = await newTask();
    expect(await cancel(999_999)).toEqual({ kind: "unknown" });
    const stranger = { applicationId: applicationId + 1, id };
    expect(await cancelTask(world, { reference: stranger }, kill(0))).toEqual({ kind: "unknown" });
    expect(await statusOf(id)).toBe("pending");
    await cancel(id);
  });
});

describe("a nonce", () => {
  test("is used up by any answer and good only once", async () => {
    const nonce = "nm33An1FX22SAjZK";
    expect(await cancel(999_999, { nonce })).toEqual({ kind: "unknown" });
    const id = await newTask();
    expect(await cancel(id, { nonce })).toEqual({ kind: "replayed" });
    expect(await statusOf(id)).toBe("pending");
    expect(await cancel(id, { nonce: "another-nonce" })).toEqual({ kind: "cancelled" });
  });
});

describe("without a store", () => {
  test("nothing is promised", async () => {
    const gone = await createWorld();
    await gone.close();
    const change = { reference: { applicationId, id: 1 } };
    expect(await rejectionOf(cancelTask(gone, change, kill(0)))).toMatchObject({
      code: "unavailable",
    });
  });

  test("that goes away after the request, the answer is what is known: it is being killed", async () => {
    const gone = await createWorld();
    const { id: owner } = await addApplication(gone, { appKey: "E3F5l1uKFcXUe1gd" });
    const id = await addTask(gone.store, { applicationId: owner, taskNo: "t" });
    await claimTask(gone.store);
    const bus = {
      ask: async () => {
        await gone.close();
        return undefined;
      },
    };
    const change = { reference: { applicationId: owner, id } };
    expect(await cancelTask({ ...gone, bus }, change, kill(200))).toEqual({ kind: "killing" });
    expect(gone.lines[0]).toMatchObject({ level: "warn", fields: { task_id: id } });
  });
});

function finished(status: "succeeded" | "failed"): CancelAnswer {
  return { kind: "finished", status };
}

function failed(final: boolean): AttemptEnd {
  return { outcome: "failed", error: { name: "Error", message: "boom", final } };
}

/** As an executor does: reads whether a cancel is wanted, until it is. */
async function untilRequested({ taskId, attemptId, fence }: ClaimedTask): Promise<boolean> {
  const deadline = performance.now() + patienceMs();
  while (performance.now() < deadline) {
    const wanted = await world.store.tasks.cancelRequests([{ taskId, attemptId, fence }]);
    if (wanted.length > 0) return true;
  }
  return false;
}
