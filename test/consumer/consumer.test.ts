// One consumer on a real store: what it claims, how it lets go, and what it does when its right is in doubt.

import { expect } from "bun:test";
import { setTimeout as delay } from "node:timers/promises";
import { type Consumer, createConsumer } from "../../src/consumer/consumer.ts";
import type { FeedNews } from "../../src/consumer/watched.ts";
import { createLocalQueue } from "../../src/queue/local.ts";
import type { Queue } from "../../src/queue/queue.ts";
import type { TaskDetail } from "../../src/store/store.ts";
import { atItsBest, timeOf } from "../support/at-its-best.ts";
import { eventually } from "../support/eventually.ts";
import { afterEach, beforeEach, describe, test } from "../support/long.ts";
import { noteTurns } from "../support/noted-turns.ts";
import {
  createScriptedLane,
  type ScriptedAttempt,
  type ScriptedLane,
} from "../support/scripted-lane.ts";
import { addApplication, addTask, createWorld, type World } from "../support/use-case-world.ts";

const SERVICE_ID = "executor-of-the-test";
const LEASE_MS = 30_000;
/** Where it is to be renewed or to end. */
const SHORT_LEASE_MS = 2_400;
/** Of the consumer: the pause of one that nothing wakes. */
const IDLE_MS = 1000;

let world: World;
let queue: Queue;
let applicationId: number;
let consumers: Consumer[];
let unkillable: number[];
let news: FeedNews[];

beforeEach(async () => {
  world = await createWorld();
  queue = createLocalQueue({ links: [] });
  applicationId = (await addApplication(world, { appKey: "app" })).id;
  consumers = [];
  unkillable = [];
  news = [];
});

afterEach(async () => {
  for (const consumer of consumers) {
    await consumer.drain(0);
    await consumer.close();
  }
  await queue.close();
  await world.close();
});

async function serve(attempts: ScriptedLane, leaseMs = LEASE_MS): Promise<Consumer> {
  const consumer = await createConsumer({
    store: world.store,
    queue,
    attempts,
    lane: "callback",
    serviceId: SERVICE_ID,
    leaseMs,
    logger: world.logger,
    onUnkillable: ({ taskId }) => unkillable.push(taskId),
    onNews: (told) => news.push(told),
  });
  consumers.push(consumer);
  return consumer;
}

async function ring(): Promise<void> {
  await queue.ring({ lane: "callback", dueInMs: 0 });
}

async function create(count: number, runAt: number | null = null): Promise<number[]> {
  const numbers = Array.from({ length: count }, (_, index) => `no-${index}`);
  const ids: number[] = [];
  for (const taskNo of numbers)
    ids.push(await addTask(world.store, { applicationId, taskNo, runAt }));
  return ids;
}

function when(id: number, isIt: (found: TaskDetail) => boolean): Promise<TaskDetail> {
  return eventually(async () => {
    const found = await world.store.tasks.find({ applicationId, id });
    return found !== undefined && isIt(found) ? found : undefined;
  });
}

async function first(lane: ScriptedLane): Promise<ScriptedAttempt> {
  const [attempt] = await lane.begun.atLeast(1);
  if (attempt === undefined) throw new Error("nothing was begun");
  return attempt;
}

describe("a failure", () => {
  const error = { name: "CallbackError", message: "busy", status: 503 };

  test("is kept with its fingerprint, and comes back no earlier than the receiver asked", async () => {
    const lane = createScriptedLane(1);
    const [id = 0] = await create(1);
    await serve(lane);
    const failedAt = await world.store.now();
    (await first(lane)).end({ outcome: "failed", error, retryAfterMs: 120_000 });
    const { task, latest } = await when(id, ({ task: { charged } }) => charged === 1);
    expect(task.status).toBe("pending");
    expect(task.runAt).toBeGreaterThanOrEqual(failedAt + 120_000);
    expect(latest?.error).toEqual({ ...error, fingerprint: "127.0.0.1:1024 503" });
  });

  test("that forbids another attempt ends the task, whatever the receiver asked", async () => {
    const lane = createScriptedLane(1);
    const [id = 0] = await create(1);
    await serve(lane);
    const final = { ...error, status: 410, final: true };
    (await first(lane)).end({ outcome: "failed", error: final, retryAfterMs: 120_000 });
    const { latest } = await when(id, ({ task }) => task.status === "failed");
    expect(latest?.error?.fingerprint).toBe("127.0.0.1:1024 410");
  });
});

describe("claiming", () => {
  test("takes at most as many tasks as it has free slots, and the next when one is free", async () => {
    const lane = createScriptedLane(2);
    await create(3);
    await serve(lane);
    const [one] = await lane.begun.atLeast(2);
    expect(lane.begun.all).toHaveLength(2);
    one?.end({ outcome: "succeeded", result: "null" });
    await lane.begun.atLeast(3);
  });

  test("more ends at once than one turn writes are written by the turns right after it", async () => {
    const lane = createScriptedLane(2_100);
    const ids = await create(2_100);
    const noted = noteTurns(world.store);
    world = { ...world, store: noted.store };
    await serve(lane);
    const attempts = await lane.begun.atLeast(ids.length);
    for (const attempt of attempts) attempt.end({ outcome: "succeeded", result: "null" });
    for (const id of ids) await when(id, ({ task }) => task.status === "succeeded");
    noted.stop();
    expect(noted.idleTicks.length).toBeGreaterThan(0);
    // The pause of a consumer that thinks it is idle has dozens.
    expect(Math.min(...noted.idleTicks)).toBeLessThan(10);
  });

  test("a doorbell wakes it at once", async () => {
    const lane = createScriptedLane(1);
    await serve(lane);
    let rounds = 0;
    await atItsBest(IDLE_MS / 2, async () => {
      rounds += 1;
      const id = await addTask(world.store, { applicationId, taskNo: `bell-${rounds}` });
      const tookMs = await timeOf(() => ring().then(() => lane.begun.atLeast(rounds)));
      lane.begun.all.at(-1)?.end({ outcome: "succeeded", result: "null" });
      await when(id, ({ task }) => task.status === "succeeded");
      return tookMs;
    });
  });

  test("without any doorbell it finds work by itself", async () => {
    const lane = createScriptedLane(1);
    await serve(lane);
    await create(1);
    await lane.begun.atLeast(1);
  });

  test("knows the next due time by itself", async () => {
    let rounds = 0;
    await atItsBest(IDLE_MS / 4, async () => {
      rounds += 1;
      const lane = createScriptedLane(1);
      const runAt = (await world.store.now()) + 700;
      const id = await addTask(world.store, { applicationId, taskNo: `due-${rounds}`, runAt });
      const consumer = await serve(lane);
      (await first(lane)).end({ outcome: "succeeded", result: "null" });
      const { latest } = await when(id, ({ task }) => task.status === "succeeded");
      await consumer.drain(0);
      expect(latest?.startedAt).toBeGreaterThanOrEqual(runAt);
      return (latest?.startedAt ?? 0) - runAt;
    });
  });
});

describe("ending", () => {
  test("the end of an attempt is written and decides the task", async () => {
    const lane = createScriptedLane(1);
    const [id = 0] = await create(1);
    await serve(lane);
    (await first(lane)).end({ outcome: "succeeded", result: '"done"' });
    const found = await when(id, ({ task }) => task.status === "succeeded");
    expect(found.latest).toMatchObject({ outcome: "succeeded", charged: true, result: '"done"' });
  });

  test("a task whose attempt still runs is not claimed again before that is dead", async () => {
    const lane = createScriptedLane(2);
    const [id = 0] = await create(1);
    await serve(lane);
    const attempt = await first(lane);
    attempt.end({ outcome: "timed_out" }, null);
    await when(id, ({ task }) => task.status === "pending");
    await ring();
    await ring();
    expect(lane.begun.all).toHaveLength(1);
    attempt.die({ killed: true, method: "thread", latencyMs: 900 });
    await lane.begun.atLeast(2);
  });

  test("an attempt that cannot be killed retires the consumer and keeps its task held", async () => {
    const lane = createScriptedLane(2);
    const [id = 0] = await create(1);
    const consumer = await serve(lane);
    const attempt = await first(lane);
    attempt.end({ outcome: "timed_out" }, null);
    attempt.die({ killed: false, method: "none", latencyMs: 2000 });
    await consumer.drain(0);
    expect(unkillable).toEqual([id]);
    await addTask(world.store, { applicationId, taskNo: "another" });
    const lane2 = createScriptedLane(2);
    await serve(lane2);
    expect((await first(lane2)).task.taskNo).toBe("another");
    await world.store.executors.declareDead(SERVICE_ID);
    await lane2.begun.atLeast(2);
  });

  test("drain hands running attempts back, uncharged", async () => {
    const lane = createScriptedLane(1);
    const [id = 0] = await create(1);
    const consumer = await serve(lane);
    expect((await first(lane)).stops).toEqual([]);
    await consumer.drain(50);
    const found = await when(id, ({ task }) => task.status === "pending");
    expect(found.latest).toMatchObject({ outcome: "interrupted", charged: false });
    expect(lane.begun.all[0]?.stops).toEqual(["interrupt"]);
  });
});

describe("the right to run", () => {
  test("a lease is renewed as long as the attempt runs", async () => {
    const lane = createScriptedLane(1);
    const [id = 0] = await create(1);
    await serve(lane, SHORT_LEASE_MS);
    const attempt = await first(lane);
    const before = await when(id, ({ task }) => task.leaseUntil !== null);
    await when(id, ({ task }) => (task.leaseUntil ?? 0) > (before.task.leaseUntil ?? 0));
    expect(attempt.stops).toEqual([]);
  });

  test("an attempt that was taken over is stopped, and its late result is refused", async () => {
    const lane = createScriptedLane(1, false);
    const [id = 0] = await create(1);
    await serve(lane, SHORT_LEASE_MS);
    const attempt = await first(lane);
    const { taskId, attemptId, fence } = attempt.task;
    const lost = { taskId, attemptId, fence, end: { outcome: "lost" as const }, charged: false };
    await world.store.tasks.settle(
      [{ ...lost, next: { kind: "terminal", status: "failed" } }],
      false,
    );
    await eventually(() => (attempt.stops.includes("interrupt") ? true : undefined));
    attempt.end({ outcome: "succeeded", result: "1" });
    await eventually(() => world.lines.find(({ message }) => message.includes("stale fence")));
    expect((await when(id, () => true)).task.status).toBe("failed");
  });

  test("an attempt stops itself before a lease ends that nobody can renew", async () => {
    const lane = createScriptedLane(1, false);
    await create(1);
    const tasks = { ...world.store.tasks, renew: () => Promise.reject(new Error("no database")) };
    world = { ...world, store: { ...world.store, tasks } };
    await serve(lane, SHORT_LEASE_MS);
    const attempt = await first(lane);
    // Both are timers of this thread: however late it is, the one that is due first comes first.
    const leaseEnd = delay(SHORT_LEASE_MS, "the lease ended");
    const stop = eventually(() => attempt.stops.find((reason) => reason === "interrupt"));
    expect(await Promise.race([stop, leaseEnd])).toBe("interrupt");
    attempt.end({ outcome: "interrupted" });
  });

  test("a cancel in the database reaches the attempt although no bus tells it", async () => {
    const lane = createScriptedLane(1);
    const [id = 0] = await create(1);
    await serve(lane);
    await first(lane);
    await world.store.tasks.cancel({ reference: { applicationId, id } });
    const found = await when(id, ({ task }) => task.status === "cancelled");
    expect(found.latest).toMatchObject({ outcome: "cancelled", charged: false });
  });

  test("a live cancel stops the attempt of that fence only", async () => {
    const lane = createScriptedLane(1);
    const [id = 0] = await create(1);
    const consumer = await serve(lane);
    const { task } = await first(lane);
    const stale = { kind: "cancel", taskId: id, fence: task.fence - 1 } as const;
    expect(await consumer.answer(stale)).toEqual({ kind: "unknown" });
    const answer = await consumer.answer({ ...stale, fence: task.fence });
    expect(answer).toMatchObject({ kind: "receipt", receipt: { killed: true } });
  });
});
