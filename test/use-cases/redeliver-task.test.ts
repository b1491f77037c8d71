// Ringing for a task by hand, on a real store and queue.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { linearRetry } from "../../src/core/retry-policy.ts";
import type { SignedChange } from "../../src/store/store.ts";
import { redeliverTask } from "../../src/use-cases/redeliver-task.ts";
import {
  addApplication,
  addTask,
  claimTask,
  createWorld,
  endAttempt,
  type World,
} from "../support/use-case-world.ts";

let world: World;
let applicationId: number;
let created = 0;

beforeAll(async () => {
  world = await createWorld();
  applicationId = (await addApplication(world, { appKey: "E3F5l1uKFcXUe1gd" })).id;
});
afterAll(() => world.close());
beforeEach(() => {
  world.bells.length = 0;
  world.lines.length = 0;
});

function newTask(runAt: number | null = null): Promise<number> {
  created += 1;
  const retry = linearRetry(0, 0);
  return addTask(world.store, { applicationId, taskNo: `task-${created}`, runAt, retry });
}

function redeliver(id: number, more: Partial<SignedChange> = {}) {
  return redeliverTask(world, { reference: { applicationId, id }, ...more });
}

/** Bells of the local queue are heard one microtask later. */
async function heard() {
  await Promise.resolve();
  return world.bells;
}

describe("redelivering", () => {
  test("a due task rings again", async () => {
    const id = await newTask();
    expect(await redeliver(id)).toEqual({ kind: "rung" });
    expect(await heard()).toEqual([{ lane: "callback", dueInMs: 0, taskId: id }]);
    await claimTask(world.store);
  });

  test("a task that is due later says when", async () => {
    const id = await newTask((await world.store.now()) + 600_000);
    expect(await redeliver(id)).toEqual({ kind: "rung" });
    const [bell] = await heard();
    expect(bell?.dueInMs).toBeGreaterThan(500_000);
    expect(bell?.dueInMs).toBeLessThanOrEqual(600_000);
  });

  test("a failed task begins a new life with its own attempts", async () => {
    const id = await newTask();
    const error = { name: "Error", message: "boom" };
    await endAttempt(world.store, await claimTask(world.store), { outcome: "failed", error });
    expect(await redeliver(id)).toEqual({ kind: "rung" });
    expect(await heard()).toEqual([{ lane: "callback", dueInMs: 0, taskId: id }]);
    const again = await claimTask(world.store);
    expect(again).toMatchObject({ taskId: id, attempt: 1, charged: 0 });
    await endAttempt(world.store, again, { outcome: "succeeded", result: "1" });
  });

  test("a cancelled task begins a new life too", async () => {
    const id = await newTask();
    await world.store.tasks.cancel({ reference: { applicationId, id } });
    expect(await redeliver(id)).toEqual({ kind: "rung" });
    expect((await claimTask(world.store)).taskId).toBe(id);
  });

  test("a running or succeeded task is refused with its state, and nobody is rung", async () => {
    const id = await newTask();
    const task = await claimTask(world.store);
    expect(await redeliver(id)).toEqual({ kind: "refused", status: "running" });
    await endAttempt(world.store, task, { outcome: "succeeded", result: "1" });
    expect(await redeliver(id)).toEqual({ kind: "refused", status: "succeeded" });
    expect(await heard()).toEqual([]);
  });

  test("with force a succeeded task begins a new life, and a running one is refused", async () => {
    const id = await newTask();
    const task = await claimTask(world.store);
    const change = { reference: { applicationId, id } };
    expect(await redeliverTask(world, change, true)).toEqual({
      kind: "refused",
      status: "running",
    });
    await endAttempt(world.store, task, { outcome: "succeeded", result: "1" });
    expect(await redeliverTask(world, change, true)).toEqual({ kind: "rung" });
    expect(await claimTask(world.store)).toMatchObject({ taskId: id, life: 2, attempt: 1 });
  });

  test("what nobody has is unknown, as is the task of another application", async () => {
    const id = await newTask();
    expect(await redeliver(999_999)).toEqual({ kind: "unknown" });
    const stranger = { applicationId: applicationId + 1, id };
    expect(await redeliverTask(world, { reference: stranger })).toEqual({ kind: "unknown" });
    expect(await heard()).toEqual([]);
  });

  test("uses its nonce up, whatever it answers", async () => {
    const nonce = "nm33An1FX22SAjZK";
    const id = await newTask();
    expect(await redeliver(999_999, { nonce })).toEqual({ kind: "unknown" });
    expect(await redeliver(id, { nonce })).toEqual({ kind: "replayed" });
    expect(await heard()).toEqual([]);
  });

  test("succeeds although the bell is lost, and the log says so", async () => {
    const id = await newTask();
    const logged = Promise.withResolvers<void>();
    const queue = {
      ring: async () => {
        logged.resolve();
        throw new Error("nsqd is away");
      },
    };
    const change = { reference: { applicationId, id } };
    expect(await redeliverTask({ ...world, queue }, change)).toEqual({ kind: "rung" });
    await logged.promise;
    await Promise.resolve();
    expect(world.lines).toMatchObject([{ level: "warn", fields: { task_id: id } }]);
  });
});
