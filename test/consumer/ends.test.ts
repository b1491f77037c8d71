// What is told of attempts that end, and when that was: the log, and times as of the database's clock.
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { type Consumer, createConsumer } from "../../src/consumer/consumer.ts";
import type { FeedNews } from "../../src/consumer/watched.ts";
import { createLocalQueue } from "../../src/queue/local.ts";
import type { Store, TaskDetail } from "../../src/store/store.ts";
import { eventually } from "../support/eventually.ts";
import { TEST_LIMIT_MS } from "../support/patience.ts";
import { createScriptedLane, type ScriptedAttempt } from "../support/scripted-lane.ts";
import { addApplication, addTask, createWorld, type World } from "../support/use-case-world.ts";

let world: World;
let applicationId: number;
let consumer: Consumer;
let news: FeedNews[];

beforeEach(async () => {
  world = await createWorld();
  applicationId = (await addApplication(world, { appKey: "app" })).id;
  news = [];
});
afterEach(async () => {
  await consumer.drain(0);
  await consumer.close();
  await world.close();
});

/** Begins an attempt of a new task through this store. */
async function begin(store: Store): Promise<ScriptedAttempt> {
  const lane = createScriptedLane(1);
  await addTask(world.store, { applicationId, taskNo: "no-0" });
  consumer = await createConsumer({
    store,
    queue: createLocalQueue({ links: [] }),
    attempts: lane,
    lane: "callback",
    serviceId: "executor-of-the-test",
    leaseMs: 2_400,
    logger: world.logger,
    onUnkillable: () => undefined,
    onNews: (told) => news.push(told),
  });
  const [attempt] = await lane.begun.atLeast(1, TEST_LIMIT_MS);
  if (attempt === undefined) throw new Error("nothing was begun");
  return attempt;
}

function when(id: number, isIt: (found: TaskDetail) => boolean): Promise<TaskDetail> {
  return eventually(async () => {
    const found = await world.store.tasks.find({ applicationId, id });
    return found !== undefined && isIt(found) ? found : undefined;
  }, TEST_LIMIT_MS);
}

describe("the log", () => {
  const ended = () => world.lines.filter(({ message }) => message === "attempt ended");

  test("names the task, the failure and how long it took", async () => {
    const attempt = await begin(world.store);
    const error = { name: "CallbackError", message: "busy", status: 503, reason: "status" };
    attempt.end({ outcome: "failed", error });
    const line = await eventually(() => ended()[0], TEST_LIMIT_MS);
    expect(line).toMatchObject({
      level: "warn",
      fields: {
        task_id: attempt.task.taskId,
        task_no: "no-0",
        app_key: "app",
        attempt: 1,
        max_attempts: 2,
        outcome: "failed",
        reason: "status",
        error: "CallbackError: busy",
        fingerprint: "127.0.0.1:1024 503",
        ms: expect.any(Number),
      },
    });
  });

  test("does not call a lease lost whose attempt has just ended", async () => {
    const { tasks } = world.store;
    const [asked, written, renewed] = [1, 2, 3].map(() => Promise.withResolvers<void>());
    // The renewal is asked before the turn and answered after it, and the turn's answer comes last.
    const renew: typeof tasks.renew = async (...leases) => {
      asked?.resolve();
      await written?.promise;
      const answer = await tasks.renew(...leases);
      setImmediate(() => renewed?.resolve());
      return answer;
    };
    const turn: typeof tasks.turn = async (finishes, claim) => {
      const result = await tasks.turn(finishes, claim);
      if (result.finished.length === 0) return result;
      written?.resolve();
      await renewed?.promise;
      return result;
    };
    const attempt = await begin({ ...world.store, tasks: { ...tasks, renew, turn } });
    await asked?.promise;
    attempt.end({ outcome: "succeeded", result: "1" });
    const line = await eventually(() => ended()[0], TEST_LIMIT_MS);
    expect(line).toMatchObject({ level: "debug", fields: { outcome: "succeeded" } });
    expect(world.lines.filter(({ message }) => message.includes("lease lost"))).toEqual([]);
    expect(attempt.stops).toEqual([]);
  });
});

test("times of attempts are the database's, also when this clock is off", async () => {
  const offMs = 3_600_000;
  const { store } = world;
  const attempt = await begin({ ...store, now: async () => (await store.now()) + offMs });
  const { taskId, attemptId, fence } = attempt.task;
  const at = 1_000_000;
  const receipt = { killed: true, method: "thread", latencyMs: 1, at } as const;
  const event = { seq: 1, at, type: "log", data: ["x"] } as const;
  await consumer.answer({ kind: "watch", taskId, fence, afterSeq: 0 });
  attempt.end({ outcome: "failed", receipt, trace: { view: null, events: [event] } }, receipt);
  await when(taskId, ({ task: { charged } }) => charged === 1);
  const [kept] = await store.attempts.list(taskId, 9);
  const trace = await store.attempts.trace(attemptId);
  const said = await eventually(() => news.flatMap(({ events }) => events)[0], TEST_LIMIT_MS);
  const shifts = [kept?.receipt?.at, trace?.events[0]?.at, said.at].map((ms = 0) =>
    Math.round((ms - at) / offMs),
  );
  expect(shifts).toEqual([1, 1, 1]);
});
