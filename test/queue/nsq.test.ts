// What only NSQ can do to a queue: nsqds that die, hang, come back, or tell nonsense.
import { afterEach, expect, setDefaultTimeout, test } from "bun:test";
import { randomUUID } from "node:crypto";
import { Worker } from "node:worker_threads";
import type { NsqConfig } from "../../src/config/config.ts";
import { createNsqQueue } from "../../src/queue/nsq.ts";
import type { Doorbell, Queue } from "../../src/queue/queue.ts";
import { atItsBest, timeOf } from "../support/at-its-best.ts";
import { describeWith } from "../support/describe-with.ts";
import { eventually } from "../support/eventually.ts";
import { findBinary } from "../support/find-binary.ts";
import { findFreePort } from "../support/free-port.ts";
import { freezeThreadUntilPushed } from "../support/freeze-thread.ts";
import { collectHeard } from "../support/heard.ts";
import { channelStats, publish } from "../support/nsqd-http.ts";
import { TEST_LIMIT_MS } from "../support/patience.ts";
import { createRecordedLog, type RecordedLog } from "../support/recorded-log.ts";
import type { RingAndHearData } from "../support/ring-and-hear.ts";
import { BUN, runScript } from "../support/run-script.ts";
import { acquireServices } from "../support/services.ts";
import { whereThere } from "../support/where-there.ts";

const RING_AND_HEAR = new URL("../support/ring-and-hear.ts", import.meta.url);
const NOW = { lane: "job", dueInMs: 0 } as const;
/** Of the queue: so long it waits for an nsqd that says nothing. */
const ANSWER_LIMIT_MS = 1_000;

setDefaultTimeout(TEST_LIMIT_MS);

const services = await acquireServices();
const cleanUps: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

test("without any nsqd a ring is refused at once, listening goes on, and health names who is away", async () => {
  const nobody = `127.0.0.1:${await findFreePort()}`;
  const { queue } = open({ nsqdTcpAddresses: [nobody] });
  expect(queue.health()).toEqual({ state: "up" });
  await queue.listen("job", () => undefined);
  await failureOf(queue.ring(NOW));
  await atItsBest(ANSWER_LIMIT_MS / 2, () => timeOf(() => failureOf(queue.ring(NOW))));
  const failure = await failureOf(queue.ring(NOW));
  expect(failure).toMatchObject({ code: "unavailable" });
  expect(String(failure)).toContain(nobody);
  const health = queue.health();
  expect(health).toMatchObject({ state: "down", why: expect.stringContaining(`nsqd ${nobody}: `) });
});

describeWith(services, {
  title: "a private nsqd",
  needs: ["startNsqd"],
  suite: ({ startNsqd }) => {
    const start = async () => {
      const nsqd = await startNsqd();
      cleanUps.push(nsqd.stop);
      return nsqd;
    };

    test("after kill -9 and a restart both ends are back", async () => {
      const nsqd = await start();
      const { queue, log } = open({ nsqdTcpAddresses: [nsqd.tcpAddress] });
      const heard = collectHeard<Doorbell>();
      await queue.listen("job", heard.hear);
      await queue.ring(NOW);
      await heard.atLeast(1);
      await nsqd.kill9();
      await eventually(() => (queue.health().state === "down" ? true : undefined));
      expect(await failureOf(queue.ring(NOW))).toMatchObject({ code: "unavailable" });
      await nsqd.restart();
      const startedAt = performance.now();
      await ringUntilTaken(queue, { ...NOW, taskId: 7 });
      await heard.atLeast(2);
      console.log(`nsqd killed and restarted: ${ms(startedAt)} ms until a bell was heard`);
      expect(heard.all.at(-1)).toEqual({ ...NOW, taskId: 7 });
      await eventually(() => (queue.health().state === "up" ? true : undefined));
      const messages = log.lines.map((line) => `${line.level}: ${line.message}`).sort();
      const once = ["info: nsqd is back", "warn: nsqd is away"];
      expect(messages).toEqual(once.flatMap((message) => [message, message]));
    });

    test("a hung nsqd makes rings fail after a while, then at once, and is used again when it goes on", async () => {
      const nsqd = await start();
      const { queue } = open({ nsqdTcpAddresses: [nsqd.tcpAddress] });
      const heard = collectHeard<Doorbell>();
      await queue.listen("job", heard.hear);
      await queue.ring(NOW);
      await heard.atLeast(1);
      nsqd.freeze();
      const frozenAt = performance.now();
      const rings = await Promise.allSettled(Array.from({ length: 50 }, () => queue.ring(NOW)));
      expect(rings.every((ring) => ring.status === "rejected")).toBe(true);
      console.log(`nsqd hung: rings failed after ${ms(frozenAt)} ms`);
      await atItsBest(ANSWER_LIMIT_MS / 2, () =>
        timeOf(async () => {
          expect(String(await failureOf(queue.ring(NOW)))).toContain("no answer within");
        }),
      );
      expect(queue.health().state).toBe("down");
      nsqd.thaw();
      const thawedAt = performance.now();
      await ringUntilTaken(queue, { ...NOW, taskId: 7 });
      await eventually(() => heard.all.find((bell) => bell.taskId === 7));
      console.log(`nsqd goes on: ${ms(thawedAt)} ms until a bell was heard`);
    });

    test("a first ring to a hung nsqd fails, too", async () => {
      const nsqd = await start();
      nsqd.freeze();
      const { queue } = open({ nsqdTcpAddresses: [nsqd.tcpAddress] });
      expect(await failureOf(queue.ring(NOW))).toMatchObject({ code: "unavailable" });
    });

    test("while one nsqd hangs or is dead the bells go through the other", async () => {
      const [first, second] = [await start(), await start()];
      const { queue } = open({ nsqdTcpAddresses: [first.tcpAddress, second.tcpAddress] });
      const heard = collectHeard<Doorbell>();
      await queue.listen("job", heard.hear);
      await queue.ring(NOW);
      // It may still be in the one that is to hang.
      await heard.atLeast(1);
      first.freeze();
      await queue.ring(NOW);
      await queue.ring(NOW);
      await heard.atLeast(3);
      first.thaw();
      await first.kill9();
      await queue.ring(NOW);
      await heard.atLeast(4);
      expect(queue.health()).toEqual({ state: "up" });
    });

    test("bells pushed to a listener that pauses are handed back", async () => {
      const nsqd = await start();
      const { queue, config } = open({ nsqdTcpAddresses: [nsqd.tcpAddress] });
      const heard = collectHeard<Doorbell>();
      const listener = await queue.listen("job", heard.hear);
      await queue.ring(NOW);
      await heard.atLeast(1);
      const ringing = queue.ring(NOW);
      await freezeThreadUntilPushed(nsqd.httpAddress, `${config.topic}-job`);
      listener.pause();
      await ringing;
      const stats = () => channelStats(nsqd.httpAddress, `${config.topic}-job`);
      await eventually(async () => ((await stats()).depth === 1 ? true : undefined));
      expect(await stats()).toMatchObject({ depth: 1, in_flight_count: 0, requeue_count: 1 });
      listener.resume();
      await heard.atLeast(2);
    });

    test("a listener that comes before any topic exists hears the first bell", async () => {
      const nsqd = await start();
      const lookupdHttpAddresses = [nsqd.lookupdHttpAddress];
      const { queue } = open({ nsqdTcpAddresses: [nsqd.tcpAddress], lookupdHttpAddresses });
      const heard = collectHeard<Doorbell>();
      await queue.listen("callback", heard.hear);
      await queue.ring({ lane: "callback", dueInMs: 0 });
      await heard.atLeast(1);
    });

    test("a listener finds an nsqd that only nsqlookupd knows", async () => {
      const [own, other] = [await start(), await start()];
      const topic = `test-${randomUUID()}`;
      const lookupdHttpAddresses = [other.lookupdHttpAddress];
      const ringer = open({ topic, nsqdTcpAddresses: [other.tcpAddress] }).queue;
      const hearer = open({ topic, nsqdTcpAddresses: [own.tcpAddress], lookupdHttpAddresses });
      const heard = collectHeard<Doorbell>();
      await hearer.queue.listen("job", heard.hear);
      await ringer.ring({ ...NOW, taskId: 7 });
      expect(await heard.atLeast(1)).toEqual([{ ...NOW, taskId: 7 }]);
    });

    test("messages that are no doorbells are finished and logged, and bells are heard after them", async () => {
      const nsqd = await start();
      const { queue, config, log } = open({ nsqdTcpAddresses: [nsqd.tcpAddress] });
      const heard = collectHeard<Doorbell>();
      await queue.listen("job", heard.hear);
      const topic = `${config.topic}-job`;
      const nonsense = ["nonsense", "null", "[]", '{"lane":"job"}', '{"lane":"x","dueInMs":0}'];
      const almost = ['{"lane":"callback","dueInMs":0}', '{"lane":"job","dueInMs":-1}', "\u0000ÿ"];
      for (const body of [...nonsense, ...almost]) await publish(nsqd.httpAddress, topic, body);
      await queue.ring({ ...NOW, taskId: 7 });
      await heard.atLeast(1);
      await eventually(() => (log.lines.length === 8 ? true : undefined));
      expect(heard.all).toEqual([{ ...NOW, taskId: 7 }]);
      const stats = await eventually(async () => {
        const now = await channelStats(nsqd.httpAddress, topic);
        return now.in_flight_count === 0 ? now : undefined;
      });
      expect(stats).toMatchObject({ depth: 0, requeue_count: 0 });
      expect(JSON.stringify(log.lines)).not.toContain("nonsense");
    });

    test("it works inside a worker thread", async () => {
      const nsqd = await start();
      const workerData: RingAndHearData = { tcpAddress: nsqd.tcpAddress, topic: "threads" };
      const thread = new Worker(RING_AND_HEAR, { workerData });
      const answer = await new Promise((resolve, reject) => {
        thread.once("message", resolve);
        thread.once("error", reject);
      });
      console.log(`in a thread, ${answer}`);
      expect(answer).toContain("ring to hear");
    });

    test("a process that closed its queue ends by itself", async () => {
      const nsqd = await start();
      const data = { tcpAddress: nsqd.tcpAddress, topic: "processes" };
      expect(await ringAndHear(BUN, data)).toContain("ring to hear");
      expect(await ringAndHear(BUN, { ...data, inHaste: true })).toBe("fulfilled,fulfilled\n");
      nsqd.freeze();
      expect(await ringAndHear(BUN, { ...data, inHaste: true })).toBe("rejected,fulfilled\n");
      await nsqd.kill9();
      expect(await ringAndHear(BUN, { ...data, inHaste: true })).toBe("rejected,fulfilled\n");
    });

    const deno = findBinary("deno");
    whereThere(test, "deno")("it works on Deno, and the process ends by itself", async () => {
      const nsqd = await start();
      const data = { tcpAddress: nsqd.tcpAddress, topic: "processes" };
      const output = await ringAndHear([deno ?? "", "run", "-A"], data);
      console.log(`on Deno, ${output.trim()}`);
      expect(output).toContain("ring to hear");
    });
  },
});

interface Opened {
  readonly queue: Queue;
  readonly config: NsqConfig;
  readonly log: RecordedLog;
}

/** A queue on a topic of its own, closed after the test. */
function open(settings: Partial<NsqConfig>): Opened {
  const config: NsqConfig = {
    nsqdTcpAddresses: ["127.0.0.1:1"],
    lookupdHttpAddresses: [],
    topic: `test-${randomUUID()}`,
    channel: "executors",
    ...settings,
  };
  const log = createRecordedLog();
  const queue = createNsqQueue(config, { logger: log });
  cleanUps.push(() => queue.close());
  return { queue, config, log };
}

function failureOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => "it did not fail",
    (error: unknown) => error,
  );
}

async function ringUntilTaken(queue: Queue, bell: Doorbell): Promise<void> {
  await eventually(async () => {
    await queue.ring(bell);
    return true;
  });
}

function ms(startedAt: number): string {
  return (performance.now() - startedAt).toFixed(0);
}

/** nsqjs leaves a timer running for 5 s when its connection is closed too early. */
function ringAndHear(command: readonly string[], data: RingAndHearData): Promise<string> {
  return runScript({ command, script: RING_AND_HEAR, data });
}
