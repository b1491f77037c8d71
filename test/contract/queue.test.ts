// What every queue must do, run on each adapter.
import { afterEach, beforeEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import { randomUUID } from "node:crypto";
import { MessageChannel } from "node:worker_threads";
import { linkOfPort } from "../../src/process/ipc-link.ts";
import { createLocalQueue } from "../../src/queue/local.ts";
import { createNsqQueue } from "../../src/queue/nsq.ts";
import type { Doorbell, Queue } from "../../src/queue/queue.ts";
import { describeWith } from "../support/describe-with.ts";
import { freezeThread } from "../support/freeze-thread.ts";
import { collectHeard } from "../support/heard.ts";
import { describeLatencies } from "../support/latencies.ts";
import { TEST_LIMIT_MS } from "../support/patience.ts";
import { createRecordedLog } from "../support/recorded-log.ts";
import { acquireServices, type NsqdService } from "../support/services.ts";

/** One that rings and two that listen, connected as the processes of the platform are. */
interface World {
  readonly ringer: Queue;
  readonly hearers: readonly [Queue, Queue];
  close(): Promise<void>;
}

const services = await acquireServices();
const NOW = { lane: "job", dueInMs: 0 } as const;
/** A driver that gathers before it sends does so every time. */
const HELD_BACK_MS = 20;

setDefaultTimeout(TEST_LIMIT_MS);

describe("queue/local", () => queueContract("queue/local", async () => openLocalWorld()));

describeWith(services, {
  title: "queue/nsq",
  needs: ["nsqd"],
  suite: ({ nsqd }) => queueContract("queue/nsq", async () => openNsqWorld(nsqd)),
});

function queueContract(name: string, open: () => Promise<World>): void {
  let world: World;

  beforeEach(async () => {
    world = await open();
  });
  afterEach(() => world.close());

  test("a bell is heard with its lane, when it is due, and the task's id", async () => {
    const heard = collectHeard<Doorbell>();
    await world.hearers[0].listen("callback", heard.hear);
    const bell = { lane: "callback", dueInMs: 1_250, taskId: 81 } as const;
    await world.ringer.ring(bell);
    expect(await heard.atLeast(1)).toEqual([bell]);
  });

  test("a bell is not heard by a listener of the other lane", async () => {
    const ofJobs = collectHeard<Doorbell>();
    const ofCallbacks = collectHeard<Doorbell>();
    await world.hearers[0].listen("job", ofJobs.hear);
    await world.hearers[1].listen("callback", ofCallbacks.hear);
    await world.ringer.ring({ lane: "job", dueInMs: 0 });
    await world.ringer.ring({ lane: "callback", dueInMs: 0 });
    expect(await ofJobs.atLeast(1)).toEqual([{ lane: "job", dueInMs: 0 }]);
    expect(await ofCallbacks.atLeast(1)).toEqual([{ lane: "callback", dueInMs: 0 }]);
  });

  test("each of 500 bells reaches exactly one of two listeners, and both hear some", async () => {
    const heard = collectHeard<Doorbell>();
    const shares = [0, 0];
    const listen = (hearer: Queue, index: 0 | 1) =>
      hearer.listen("job", (bell) => {
        shares[index] = (shares[index] ?? 0) + 1;
        heard.hear(bell);
      });
    await listen(world.hearers[0], 0);
    await listen(world.hearers[1], 1);
    const taskIds = Array.from({ length: 500 }, (_, index) => index + 1);
    await Promise.all(taskIds.map((taskId) => world.ringer.ring({ ...NOW, taskId })));
    const bells = await heard.atLeast(500);
    expect(bells.map((bell) => bell.taskId).sort(byNumber)).toEqual(taskIds);
    expect(Math.min(...shares)).toBeGreaterThan(0);
  });

  test("a consumer may ring its own lane", async () => {
    const heard = collectHeard<Doorbell>();
    await world.hearers[0].listen("job", heard.hear);
    await world.hearers[0].ring(NOW);
    expect(await heard.atLeast(1)).toEqual([NOW]);
  });

  test("a pause hands the bells to the other listener", async () => {
    const paused = collectHeard<Doorbell>();
    const other = collectHeard<Doorbell>();
    const listener = await world.hearers[0].listen("job", paused.hear);
    await world.hearers[1].listen("job", other.hear);
    await world.ringer.ring(NOW);
    await Promise.race([paused.atLeast(1), other.atLeast(1)]);
    const before = paused.all.length;
    const rings = [world.ringer.ring(NOW), world.ringer.ring(NOW)];
    await freezeThread(30);
    // By now a server has pushed a bell to each of the two.
    listener.pause();
    await other.atLeast(3 - before);
    expect(paused.all.length).toBe(before);
    await Promise.all(rings);
  });

  test("with everybody paused the earliest bell is kept and heard after the pause", async () => {
    const heard = collectHeard<Doorbell>();
    const listener = await world.hearers[0].listen("job", heard.hear);
    listener.pause();
    await world.ringer.ring({ lane: "job", dueInMs: 900_000 });
    await world.ringer.ring({ lane: "job", dueInMs: 400_000 });
    await world.ringer.ring({ lane: "job", dueInMs: 700_000 });
    expect(heard.all).toEqual([]);
    listener.resume();
    await heard.atLeast(1);
    await world.ringer.ring({ ...NOW, taskId: 1 });
    while (heard.all.at(-1)?.taskId !== 1) await heard.atLeast(heard.all.length + 1);
    const due = heard.all.filter((bell) => bell.taskId === undefined).map((bell) => bell.dueInMs);
    expect(Math.min(...due)).toBeLessThanOrEqual(400_000);
    expect(Math.min(...due)).toBeGreaterThan(0);
  });

  test("a closed listener hears nothing more, and its bells go to the other", async () => {
    const closed = collectHeard<Doorbell>();
    const other = collectHeard<Doorbell>();
    const listener = await world.hearers[0].listen("job", closed.hear);
    await world.hearers[1].listen("job", other.hear);
    await listener.close();
    await Promise.all(Array.from({ length: 20 }, () => world.ringer.ring(NOW)));
    await other.atLeast(20);
    expect(closed.all).toEqual([]);
    listener.resume();
    await world.ringer.ring(NOW);
    await other.atLeast(21);
    expect(closed.all).toEqual([]);
  });

  test("a close in the middle of rings settles all of them, and later rings are refused", async () => {
    await world.hearers[0].listen("job", () => undefined);
    const rings = Array.from({ length: 200 }, () => world.ringer.ring(NOW));
    const [settled] = await Promise.all([Promise.allSettled(rings), world.ringer.close()]);
    expect(settled.length).toBe(200);
    const late = await world.ringer.ring(NOW).catch((error: unknown) => error);
    expect(late).toMatchObject({ name: "AppError", code: "unavailable" });
  });

  test("10,000 rings at once all settle, what was taken is heard, and the memory is given back", async () => {
    const heard = collectHeard<Doorbell>();
    await world.hearers[0].listen("job", heard.hear);
    const first = await ringMany(world.ringer);
    await heard.atLeast(first);
    const before = heapMiB();
    const second = await ringMany(world.ringer);
    await heard.atLeast(first + second);
    // The 10,000 collected bells themselves take about 1 MiB.
    expect(heapMiB() - before).toBeLessThan(8);
    expect(first + second).toBeGreaterThan(0);
  });

  test("nothing holds a ring back", async () => {
    const timesMs: number[] = [];
    const heard = collectHeard<Doorbell>();
    await world.hearers[0].listen("job", heard.hear);
    for (let count = 1; count <= 500; count++) {
      const startedAt = performance.now();
      await world.ringer.ring(NOW);
      await heard.atLeast(count);
      timesMs.push(performance.now() - startedAt);
    }
    console.log(describeLatencies(`${name} ring to hear`, timesMs));
    expect(Math.min(...timesMs)).toBeLessThan(HELD_BACK_MS);
  });

  test("it is up", async () => {
    await world.hearers[0].listen("job", () => undefined);
    await world.ringer.ring(NOW);
    expect([world.ringer.health(), world.hearers[0].health()]).toEqual([
      { state: "up" },
      { state: "up" },
    ]);
  });
}

/** How many of 10,000 rings at once were taken; the others were refused, on a busy machine for want of time. */
async function ringMany(queue: Queue): Promise<number> {
  const rings = Array.from({ length: 10_000 }, () => queue.ring(NOW));
  const settled = await Promise.allSettled(rings);
  return settled.filter((ring) => ring.status === "fulfilled").length;
}

function heapMiB(): number {
  Bun.gc(true);
  return process.memoryUsage().heapUsed / 2 ** 20;
}

function byNumber(a: number | undefined, b: number | undefined): number {
  return Number(a) - Number(b);
}

/** Main process, executor and a consumer thread, with real ports between them. */
function openLocalWorld(): World {
  const [up, down] = [new MessageChannel(), new MessageChannel()];
  const main = createLocalQueue({ links: [linkOfPort(up.port1)] });
  const executor = createLocalQueue({ links: [linkOfPort(up.port2), linkOfPort(down.port1)] });
  const consumer = createLocalQueue({ links: [linkOfPort(down.port2)] });
  const close = async (): Promise<void> => {
    await Promise.all([main, executor, consumer].map((queue) => queue.close()));
    up.port1.close();
    down.port1.close();
  };
  return { ringer: main, hearers: [consumer, consumer], close };
}

/** Three processes as far as nsqd can tell, on topics of their own. */
function openNsqWorld(nsqd: NsqdService): World {
  const config = {
    nsqdTcpAddresses: [nsqd.tcpAddress],
    lookupdHttpAddresses: [nsqd.lookupdHttpAddress],
    topic: `test-${randomUUID()}`,
    channel: "executors",
  };
  const open = () => createNsqQueue(config, { logger: createRecordedLog() });
  const [ringer, first, second] = [open(), open(), open()];
  const close = async (): Promise<void> => {
    await Promise.all([ringer, first, second].map((queue) => queue.close()));
  };
  return { ringer, hearers: [first, second], close };
}
