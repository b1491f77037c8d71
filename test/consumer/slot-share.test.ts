// Slots that one application's jobs may not take while others create tasks: on a real store, with attempts that end when told.
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { type Consumer, createConsumer } from "../../src/consumer/consumer.ts";
import { shareSlots } from "../../src/consumer/slot-share.ts";
import { createLocalQueue } from "../../src/queue/local.ts";
import type { Queue } from "../../src/queue/queue.ts";
import { eventually } from "../support/eventually.ts";
import { createScriptedLane, type ScriptedLane } from "../support/scripted-lane.ts";
import { addApplication, addTask, createWorld, type World } from "../support/use-case-world.ts";

let world: World;
let queue: Queue;
let ours: number;
let theirs: number;
let consumers: Consumer[];

beforeEach(async () => {
  world = await createWorld();
  queue = createLocalQueue({ links: [] });
  ours = (await addApplication(world, { appKey: "ours" })).id;
  theirs = (await addApplication(world, { appKey: "theirs" })).id;
  consumers = [];
});
afterEach(async () => {
  for (const consumer of consumers) {
    await consumer.drain(0);
    await consumer.close();
  }
  await queue.close();
  await world.close();
});

async function use(...ids: readonly number[]): Promise<void> {
  for (const id of ids) await world.store.applications.noteUse(id);
}

async function serve(lane: ScriptedLane): Promise<void> {
  const { store, logger } = world;
  const { applications } = store;
  const attempts = await shareSlots(lane, { applications, share: 0.75, logger });
  const consumer = await createConsumer({
    store,
    queue,
    attempts,
    lane: "callback",
    serviceId: "executor-of-the-test",
    leaseMs: 30_000,
    logger,
    onUnkillable: () => undefined,
    onNews: () => undefined,
  });
  consumers.push(consumer);
}

let created = 0;
async function create(applicationId: number, count: number): Promise<void> {
  for (let index = 0; index < count; index += 1) {
    created += 1;
    await addTask(world.store, { applicationId, taskNo: `no-${created}` });
  }
  await queue.ring({ lane: "callback", dueInMs: 0 });
}

/** Whose attempts were begun, in their order. */
async function owners(lane: ScriptedLane, atLeast: number): Promise<number[]> {
  return (await lane.begun.atLeast(atLeast)).map(({ task }) => task.application.id);
}

describe("while two applications create tasks", () => {
  test("long jobs of one leave a slot, in which another one's starts without waiting for them", async () => {
    const lane = createScriptedLane(4);
    await use(ours, theirs);
    await create(ours, 6);
    await serve(lane);
    expect(await owners(lane, 3)).toEqual([ours, ours, ours]);
    await create(theirs, 1);
    // Nothing has ended: it runs in the slot that was left.
    expect(await owners(lane, 4)).toEqual([ours, ours, ours, theirs]);
    const [, , , short] = await lane.begun.atLeast(4);
    short?.end({ outcome: "succeeded" });
    await create(theirs, 1);
    expect(await owners(lane, 5)).toEqual([ours, ours, ours, theirs, theirs]);
  });

  test("one that ends makes room for the next of its application, and for no more", async () => {
    const lane = createScriptedLane(4);
    await use(ours, theirs);
    await create(ours, 5);
    await serve(lane);
    const [first] = await lane.begun.atLeast(3);
    first?.end({ outcome: "succeeded" });
    expect(await owners(lane, 4)).toEqual([ours, ours, ours, ours]);
    await create(theirs, 2);
    expect((await owners(lane, 5)).at(-1)).toBe(theirs);
    const pending = await eventually(async () => {
      const found = await world.store.tasks.find({
        applicationId: ours,
        taskNo: `no-${created - 2}`,
      });
      return found?.task.status === "pending" ? true : undefined;
    });
    expect(pending).toBe(true);
  });

  test("what is not yet gone still holds its slot", async () => {
    const lane = createScriptedLane(4, false);
    await use(ours, theirs);
    await create(ours, 4);
    await serve(lane);
    const [first] = await lane.begun.atLeast(3);
    first?.end({ outcome: "succeeded" }, null);
    await create(theirs, 1);
    expect(await owners(lane, 4)).toEqual([ours, ours, ours, theirs]);
    first?.die({ killed: true, method: "thread", latencyMs: 1 });
    expect((await owners(lane, 5)).at(-1)).toBe(ours);
    for (const attempt of await lane.begun.atLeast(5)) attempt.end({ outcome: "succeeded" });
  });

  test("a share of all, and a single slot, are not kept from anybody", async () => {
    const { store, logger } = world;
    await use(ours, theirs);
    const deps = { applications: store.applications, logger };
    const [four, one] = [createScriptedLane(4), createScriptedLane(1)];
    expect(await shareSlots(four, { ...deps, share: 1 })).toBe(four);
    expect(await shareSlots(one, { ...deps, share: 0.75 })).toBe(one);
  });

  test.each([
    [2, 0.75, 1],
    [3, 0.75, 2],
    [4, 0.75, 3],
    [8, 0.75, 6],
    [64, 0.5, 32],
    [4, 0.1, 1],
  ])("of %d slots a share of %f is %d", async (slots, share, most) => {
    const lane = createScriptedLane(slots);
    await use(ours, theirs);
    const { applications } = world.store;
    const shared = await shareSlots(lane, { applications, share, logger: world.logger });
    const allowance = shared.claimLimits?.().allowance();
    const taken = Array.from({ length: slots }, () => allowance?.take(ours)).filter(Boolean);
    expect(taken).toHaveLength(most);
    expect([allowance?.isClosed(ours), allowance?.isClosed(theirs)]).toEqual([true, false]);
    await shared.close();
  });
});

describe("an application that is alone", () => {
  test("takes all slots", async () => {
    const lane = createScriptedLane(4);
    await use(ours);
    await create(ours, 4);
    await serve(lane);
    expect(await owners(lane, 4)).toEqual([ours, ours, ours, ours]);
  });

  test("shares them once it was asked again and is alone no more", async () => {
    const { store, logger } = world;
    await use(ours);
    const deps = { applications: store.applications, share: 0.75, logger, askEveryMs: 5 };
    const shared = await shareSlots(createScriptedLane(4), deps);
    const most = () => {
      const allowance = shared.claimLimits?.().allowance();
      return [1, 2, 3, 4].filter(() => allowance?.take(ours)).length;
    };
    expect(most()).toBe(4);
    await use(theirs);
    await eventually(() => (most() === 3 ? true : undefined));
    await shared.close();
  });
});
