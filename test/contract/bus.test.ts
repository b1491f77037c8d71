// What every bus must do, run on each adapter.
import { afterEach, beforeEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import { randomUUID } from "node:crypto";
import { MessageChannel } from "node:worker_threads";
import type { Bus } from "../../src/bus/bus.ts";
import { createLocalBus } from "../../src/bus/local.ts";
import { createRedisBus } from "../../src/bus/redis.ts";
import type { AttemptQuestion, LiveAnswer, LiveQuestion } from "../../src/core/live.ts";
import { linkOfPort } from "../../src/process/ipc-link.ts";
import { describeWith } from "../support/describe-with.ts";
import { eventually } from "../support/eventually.ts";
import { describeLatencies } from "../support/latencies.ts";
import { TEST_LIMIT_MS } from "../support/patience.ts";
import { createRecordedLog, type RecordedLog } from "../support/recorded-log.ts";
import { acquireServices, type RedisService } from "../support/services.ts";

/** An api process and an executor, connected as the platform connects them. */
interface World {
  readonly asker: Bus;
  readonly executor: Bus;
  /** What the executor logs. */
  readonly log: RecordedLog;
}

const services = await acquireServices();
const QUESTION: AttemptQuestion = { kind: "inspect", taskId: 81, fence: 3 };
const RECEIPT: LiveAnswer = {
  kind: "receipt",
  receipt: { killed: true, method: "thread", latencyMs: 12 },
};
const VIEW: LiveAnswer = {
  kind: "view",
  view: {
    state: "running",
    frames: [{ file: "/jobs/stuck.ts", line: 37, function: "spin" }],
    vars: { 名前: "帅的批爆", nested: [1, null, { deep: true }] },
    round: 509,
    elapsedMs: 9_805,
    progress: { percent: 50, text: "half" },
  },
};
/** Nobody waits so long: an answer to such a question comes by itself. */
const FOR_EVER_MS = 3_600_000;
/** A driver that gathers before it sends does so every time. */
const HELD_BACK_MS = 20;

setDefaultTimeout(TEST_LIMIT_MS);

describe("bus/local", () => busContract("bus/local", openLocalWorld));

describeWith(services, {
  title: "bus/redis",
  needs: ["redis"],
  suite: ({ redis }) => busContract("bus/redis", () => openRedisWorld(redis)),
});

function busContract(name: string, open: () => World): void {
  let world: World;
  let executorId: string;

  beforeEach(() => {
    world = open();
    executorId = randomUUID();
  });
  afterEach(async () => {
    await Promise.all([world.asker.close(), world.executor.close()]);
  });

  test("a question reaches the executor that serves the id, and its answer comes back whole", async () => {
    const asked: LiveQuestion[] = [];
    await world.executor.serve(executorId, async (question) => {
      asked.push(question);
      return question.kind === "cancel" ? RECEIPT : VIEW;
    });
    expect(await world.asker.ask(executorId, QUESTION, 2_000)).toEqual(VIEW);
    const cancel = { kind: "cancel", taskId: 2 ** 53 - 1, fence: 0 } as const;
    expect(await world.asker.ask(executorId, cancel, 2_000)).toEqual(RECEIPT);
    expect(asked).toEqual([QUESTION, cancel]);
  });

  test("each of 500 questions at once gets its own answer, in whatever order they come", async () => {
    await world.executor.serve(executorId, async (question) => {
      const taskId = "taskId" in question ? question.taskId : 0;
      for (let turn = taskId % 7; turn > 0; turn--) await Promise.resolve();
      return { kind: "receipt", receipt: { killed: false, method: "none", latencyMs: taskId } };
    });
    const taskIds = Array.from({ length: 500 }, (_, index) => index);
    const answers = await Promise.all(
      taskIds.map((taskId) => world.asker.ask(executorId, { ...QUESTION, taskId }, 5_000)),
    );
    const latencies = answers.map((it) => (it?.kind === "receipt" ? it.receipt.latencyMs : it));
    expect(latencies).toEqual(taskIds);
  });

  test("a question to an id that nobody serves is answered with undefined", async () => {
    await world.executor.serve(executorId, async () => VIEW);
    expect(await world.asker.ask(randomUUID(), QUESTION, 200)).toBeUndefined();
  });

  test("an answer that does not come is undefined after the timeout, and one that comes late harms nobody", async () => {
    const { promise: late, resolve } = Promise.withResolvers<LiveAnswer>();
    await world.executor.serve(executorId, ({ kind }) =>
      kind === "inspect" ? late : Promise.resolve(RECEIPT),
    );
    const startedAt = performance.now();
    expect(await world.asker.ask(executorId, QUESTION, 100)).toBeUndefined();
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(95);
    resolve(VIEW);
    expect(await world.asker.ask(executorId, { ...QUESTION, kind: "cancel" }, 2_000)).toEqual(
      RECEIPT,
    );
  });

  test("an executor that fails to answer says unknown, and logs why", async () => {
    await world.executor.serve(executorId, async () => {
      throw new Error("the thread is gone");
    });
    expect(await world.asker.ask(executorId, QUESTION, 2_000)).toEqual({ kind: "unknown" });
    expect(world.log.lines).toMatchObject([
      { level: "error", fields: { question: { taskId: 81 }, error: "the thread is gone" } },
    ]);
  });

  test("an executor may ask itself", async () => {
    await world.executor.serve(executorId, async () => VIEW);
    expect(await world.executor.ask(executorId, QUESTION, 2_000)).toEqual(VIEW);
  });

  test("after the end of serving nobody answers", async () => {
    const stop = await world.executor.serve(executorId, async () => VIEW);
    expect(await world.asker.ask(executorId, QUESTION, 2_000)).toEqual(VIEW);
    await stop();
    expect(await world.asker.ask(executorId, QUESTION, 100)).toBeUndefined();
  });

  test("the end of an old serving does not end a newer one of the same id", async () => {
    const stopOld = await world.executor.serve(executorId, async () => VIEW);
    await world.executor.serve(executorId, async () => RECEIPT);
    await stopOld();
    expect(await world.asker.ask(executorId, QUESTION, 2_000)).toEqual(RECEIPT);
  });

  test("a close answers what waits with undefined at once, and all later questions", async () => {
    await world.executor.serve(executorId, () => Promise.withResolvers<LiveAnswer>().promise);
    const ask = () => world.asker.ask(executorId, QUESTION, FOR_EVER_MS);
    const waiting = Array.from({ length: 20 }, ask);
    await world.asker.close();
    expect(new Set(await Promise.all(waiting))).toEqual(new Set([undefined]));
    expect(await ask()).toBeUndefined();
  });

  test("20,000 questions without an answer do not pile up", async () => {
    await world.executor.serve(executorId, () => Promise.withResolvers<LiveAnswer>().promise);
    const asks = Array.from({ length: 20_000 }, () => world.asker.ask(executorId, QUESTION, 300));
    expect(new Set(await Promise.all(asks))).toEqual(new Set([undefined]));
    await world.executor.serve(executorId, async () => VIEW);
    const answer = await eventually(() => world.asker.ask(executorId, QUESTION, 2_000));
    expect(answer).toEqual(VIEW);
  });

  test("nothing holds an answer back", async () => {
    const timesMs: number[] = [];
    await world.executor.serve(executorId, async () => VIEW);
    for (let round = 0; round < 500; round++) {
      const startedAt = performance.now();
      await world.asker.ask(executorId, QUESTION, 2_000);
      timesMs.push(performance.now() - startedAt);
    }
    console.log(describeLatencies(`${name} question to answer`, timesMs));
    expect(Math.min(...timesMs)).toBeLessThan(HELD_BACK_MS);
  });

  test("it is up", async () => {
    await world.executor.serve(executorId, async () => VIEW);
    await world.asker.ask(executorId, QUESTION, 2_000);
    expect([world.asker.health(), world.executor.health()]).toEqual([
      { state: "up" },
      { state: "up" },
    ]);
  });
}

/** Main process and executor, with a real port between them. */
function openLocalWorld(): World {
  const { port1, port2 } = new MessageChannel();
  const log = createRecordedLog();
  const asker = createLocalBus({ links: [linkOfPort(port1)] });
  const executor = createLocalBus({ links: [linkOfPort(port2)], logger: log });
  const close = async (): Promise<void> => {
    await asker.close();
    port1.close();
  };
  return { asker: { ...asker, close }, executor, log };
}

function openRedisWorld({ url }: RedisService): World {
  const log = createRecordedLog();
  const prefix = `test:${randomUUID()}:`;
  return {
    asker: createRedisBus({ url, prefix }, { logger: createRecordedLog() }),
    executor: createRedisBus({ url, prefix }, { logger: log }),
    log,
  };
}
