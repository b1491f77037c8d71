// What only Redis can do to a bus: servers that die, hang, come back, are flushed, or carry nonsense.
import { afterEach, expect, setDefaultTimeout, test } from "bun:test";
import { Redis } from "ioredis";
import type { Bus } from "../../src/bus/bus.ts";
import { createRedisBus } from "../../src/bus/redis.ts";
import type { LiveAnswer, LiveQuestion } from "../../src/core/live.ts";
import type { TraceEvent } from "../../src/core/views/trace-event.ts";
import type { AskAndAnswerData } from "../support/ask-and-answer.ts";
import { atItsBest, timeOf } from "../support/at-its-best.ts";
import { describeWith } from "../support/describe-with.ts";
import { eventually } from "../support/eventually.ts";
import { findBinary } from "../support/find-binary.ts";
import { findFreePort } from "../support/free-port.ts";
import { TEST_LIMIT_MS } from "../support/patience.ts";
import type { PrivateRedis } from "../support/private-redis.ts";
import { createRecordedLog, type RecordedLog } from "../support/recorded-log.ts";
import { BUN, runScript } from "../support/run-script.ts";
import { acquireServices } from "../support/services.ts";
import { whereThere } from "../support/where-there.ts";

const ASK_AND_ANSWER = new URL("../support/ask-and-answer.ts", import.meta.url);
const QUESTION: LiveQuestion = { kind: "inspect", taskId: 81, fence: 3 };
const ANSWER: LiveAnswer = { kind: "unknown" };
/** Nobody waits so long: an answer to such a question comes by itself. */
const FOR_EVER_MS = 3_600_000;

setDefaultTimeout(TEST_LIMIT_MS);

const services = await acquireServices();
const cleanUps: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

test("without a Redis questions are answered with undefined at once, serving goes on, and health names it", async () => {
  const port = await findFreePort();
  const { bus } = open(`redis://user:geheim@127.0.0.1:${port}`);
  await bus.serve("executor", async () => ANSWER);
  expect(await bus.ask("executor", QUESTION, FOR_EVER_MS)).toBeUndefined();
  const health = bus.health();
  expect(health).toMatchObject({
    state: "down",
    why: expect.stringContaining(`127.0.0.1:${port}`),
  });
  expect(JSON.stringify(health)).not.toContain("geheim");
});

describeWith(services, {
  title: "a private Redis",
  needs: ["startRedis"],
  suite: ({ startRedis }) => {
    const start = async (options: readonly string[] = []): Promise<PrivateRedis> => {
      const redis = await startRedis(options);
      cleanUps.push(redis.stop);
      return redis;
    };

    test("after kill -9 and a restart serving goes on, also what began in between", async () => {
      const redis = await start();
      const { asker, executor, logs } = await openServed(redis.url);
      await redis.kill9();
      await eventually(() => (asker.health().state === "down" ? true : undefined));
      expect(await asker.ask("executor", QUESTION, FOR_EVER_MS)).toBeUndefined();
      await executor.serve("second", async () => ANSWER);
      await redis.restart();
      const backAt = performance.now();
      await eventually(() => asker.ask("executor", QUESTION, 500));
      console.log(`redis killed and restarted: ${ms(backAt)} ms until an answer came`);
      await eventually(() => asker.ask("second", QUESTION, 500));
      await eventually(() => (executor.health().state === "up" ? true : undefined));
      for (const log of logs) expect(messagesOf(log)).toEqual(["redis is away", "redis is back"]);
    });

    test("a kill answers the questions that wait with undefined at once", async () => {
      const redis = await start();
      const { asker, executor } = await openServed(redis.url);
      const { promise: askedNow, resolve } = Promise.withResolvers<void>();
      await executor.serve("silent", () => {
        resolve();
        return Promise.withResolvers<LiveAnswer>().promise;
      });
      const waiting = asker.ask("silent", QUESTION, FOR_EVER_MS);
      await askedNow;
      await redis.kill9();
      expect(await waiting).toBeUndefined();
    });

    test("serving survives FLUSHALL and a kill of all its connections, and leaves no key behind", async () => {
      const redis = await start();
      const { asker } = await openServed(redis.url);
      const admin = await connect(redis.url);
      await admin.flushall();
      expect(await asker.ask("executor", QUESTION, 2_000)).toEqual(ANSWER);
      await admin.call("CLIENT", "KILL", "TYPE", "PUBSUB");
      await admin.call("CLIENT", "KILL", "TYPE", "NORMAL", "SKIPME", "YES");
      await eventually(() => asker.ask("executor", QUESTION, 500));
      expect(await admin.dbsize()).toBe(0);
    });

    test("a hung Redis costs a question a moment, then nothing, and is used again when it goes on", async () => {
      const redis = await start();
      const { asker } = await openServed(redis.url);
      redis.freeze();
      const askInVain = async () => {
        expect(await asker.ask("executor", QUESTION, FOR_EVER_MS)).toBeUndefined();
      };
      const firstMs = await timeOf(askInVain);
      console.log(`redis hung: a question was given up after ${firstMs.toFixed(0)} ms`);
      await atItsBest(firstMs / 2, () => timeOf(askInVain));
      expect(asker.health().state).toBe("down");
      redis.thaw();
      const thawedAt = performance.now();
      await eventually(() => asker.ask("executor", QUESTION, 500));
      console.log(`redis goes on: ${ms(thawedAt)} ms until an answer came`);
    });

    test("a hung Redis is noticed although nobody asks", async () => {
      const redis = await start();
      const { executor } = await openServed(redis.url);
      redis.freeze();
      await eventually(() => (executor.health().state === "down" ? true : undefined));
      redis.thaw();
      await eventually(() => (executor.health().state === "up" ? true : undefined));
    });

    test.each([
      ["READONLY", []],
      ["MASTERDOWN", ["--replica-read-only", "no", "--replica-serve-stale-data", "no"]],
    ])(
      "a server that answers %s is away for all, until it takes writes again",
      async (code, options) => {
        const redis = await start(options);
        const { asker, executor } = await openServed(redis.url);
        const admin = await connect(redis.url);
        const follower = asker.follow("81-1", 0);
        cleanUps.push(async () => follower.close());
        expect(await follower.read(1)).toEqual({ kind: "quiet" });
        await admin.replicaof("127.0.0.1", await findFreePort());
        const feed = executor.openFeed("81-1");
        feed.append([event(1)]);
        await eventually(async () =>
          (await follower.read(FOR_EVER_MS)).kind === "away" ? true : undefined,
        );
        for (const bus of [asker, executor]) {
          const why = await eventually(() => whyDown(bus));
          expect(why).toContain(code);
        }
        expect(await asker.ask("executor", QUESTION, FOR_EVER_MS)).toBeUndefined();
        await admin.replicaof("NO", "ONE");
        await eventually(() => asker.ask("executor", QUESTION, 500));
        await eventually(() => (executor.health().state === "up" ? true : undefined));
        feed.append([event(2)]);
        const later = asker.follow("81-1", 0);
        cleanUps.push(async () => later.close());
        expect(await later.read(FOR_EVER_MS)).toEqual({ kind: "events", events: [event(2)] });
      },
    );

    test("a server that is read-only is noticed although nobody asks or watches", async () => {
      const redis = await start();
      const { asker } = await openServed(redis.url);
      const admin = await connect(redis.url);
      await admin.replicaof("127.0.0.1", await findFreePort());
      expect(await eventually(() => whyDown(asker))).toContain("READONLY");
    });

    test("a server that loads its data is away, and used when it has loaded them", async () => {
      const redis = await start([
        "--key-load-delay",
        "10000",
        "--loading-process-events-interval-bytes",
        "1024",
      ]);
      const admin = await connect(redis.url);
      for (let key = 0; key < 300; key++) await admin.set(`key ${key}`, "x".repeat(100));
      await admin.save();
      await redis.kill9();
      const restarted = redis.restart();
      const { bus } = open(redis.url);
      const why = await eventually(() => whyDown(bus, /LOADING/));
      expect(why).toContain("LOADING");
      expect(await bus.follow("81-1", 0).read(1)).toEqual({ kind: "away" });
      await restarted;
      await eventually(() => (bus.health().state === "up" ? true : undefined));
    });

    test("nonsense on a channel is ignored, and nothing is published where no answer belongs", async () => {
      const redis = await start();
      const { asker } = await openServed(redis.url);
      const admin = await connect(redis.url);
      const elsewhere: string[] = [];
      const listener = await connect(redis.url);
      await listener.subscribe("elsewhere");
      listener.on("message", (_channel, text) => elsewhere.push(text));
      const ask = { id: 1, replyTo: "elsewhere", question: QUESTION };
      const reply = { id: 1, replyTo: "serendipity:reply:x", question: { kind: "cancel" } };
      for (const text of ["", "nonsense", "null", JSON.stringify(ask), JSON.stringify(reply)]) {
        expect(await admin.publish("serendipity:ask:executor", text)).toBe(1);
      }
      expect(await asker.ask("executor", QUESTION, 2_000)).toEqual(ANSWER);
      await admin.publish("elsewhere", "the end");
      await eventually(() => elsewhere.at(-1) === "the end" || undefined);
      expect(elsewhere).toEqual(["the end"]);
    });

    test("platforms with different prefixes do not hear each other", async () => {
      const redis = await start();
      await openServed(redis.url);
      const { bus } = open(redis.url, "other:");
      expect(await bus.ask("executor", QUESTION, 2_000)).toBeUndefined();
    });

    test("a process that closed its bus ends by itself", async () => {
      const redis = await start();
      expect(await askAndAnswer(BUN, { url: redis.url })).toContain("question to answer");
      expect(await askAndAnswer(BUN, { url: redis.url, inHaste: true })).toBe("undefined\n");
      redis.freeze();
      expect(await askAndAnswer(BUN, { url: redis.url, inHaste: true })).toBe("undefined\n");
      await redis.kill9();
      expect(await askAndAnswer(BUN, { url: redis.url, inHaste: true })).toBe("undefined\n");
    });

    const deno = findBinary("deno");
    whereThere(test, "deno")("it works on Deno, and the process ends by itself", async () => {
      const redis = await start();
      const output = await askAndAnswer([deno ?? "", "run", "-A"], { url: redis.url });
      console.log(`on Deno, ${output.trim()}`);
      expect(output).toContain("question to answer");
    });
  },
});

function open(url: string, prefix?: string): { bus: Bus; log: RecordedLog } {
  const log = createRecordedLog();
  const bus = createRedisBus(prefix === undefined ? { url } : { url, prefix }, { logger: log });
  cleanUps.push(() => bus.close());
  return { bus, log };
}

/** An asker and an executor that answers "executor"; both are connected. */
async function openServed(url: string) {
  const [asking, serving] = [open(url), open(url)];
  await serving.bus.serve("executor", async () => ANSWER);
  await eventually(() => asking.bus.ask("executor", QUESTION, 500));
  await eventually(() => (serving.bus.health().state === "up" ? true : undefined));
  return { asker: asking.bus, executor: serving.bus, logs: [asking.log, serving.log] };
}

function whyDown(bus: Bus, pattern = /READONLY|MASTERDOWN/): string | undefined {
  const health = bus.health();
  return health.state === "down" && pattern.test(health.why) ? health.why : undefined;
}

function event(seq: number): TraceEvent {
  return { seq, at: 1_000 + seq, type: "log", data: { level: "info", message: "m" } };
}

async function connect(url: string): Promise<Redis> {
  const redis = new Redis(url, { lazyConnect: true });
  cleanUps.push(async () => redis.disconnect());
  await redis.connect();
  return redis;
}

function messagesOf(log: RecordedLog): string[] {
  return [...new Set(log.lines.map((line) => line.message))];
}

function ms(startedAt: number): string {
  return (performance.now() - startedAt).toFixed(0);
}

function askAndAnswer(command: readonly string[], data: AskAndAnswerData): Promise<string> {
  return runScript({ command, script: ASK_AND_ANSWER, data });
}
