// What the feeds of every bus must do, run on each adapter.
import { afterEach, beforeEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import { randomUUID } from "node:crypto";
import { MessageChannel } from "node:worker_threads";
import type { Bus, Follower } from "../../src/bus/bus.ts";
import { createLocalBus } from "../../src/bus/local.ts";
import { createRedisBus } from "../../src/bus/redis.ts";
import type { TraceEvent } from "../../src/core/views/trace-event.ts";
import { linkOfPort } from "../../src/process/ipc-link.ts";
import { describeWith } from "../support/describe-with.ts";
import { TEST_LIMIT_MS } from "../support/patience.ts";
import { createRecordedLog } from "../support/recorded-log.ts";
import { acquireServices, type RedisService } from "../support/services.ts";

interface World {
  readonly api: Bus;
  readonly executor: Bus;
}

const services = await acquireServices();

setDefaultTimeout(TEST_LIMIT_MS);

describe("bus/local", () => feedContract(openLocalWorld));

describeWith(services, {
  title: "bus/redis",
  needs: ["redis"],
  suite: ({ redis }) => feedContract(() => openRedisWorld(redis)),
});

function feedContract(open: () => World): void {
  let world: World;
  let name: string;

  beforeEach(async () => {
    world = open();
    name = `${randomUUID()}-1`;
    // Connected: what is appended before that is dropped, as it is while the bus is away.
    await world.executor.serve("executor", async () => ({ kind: "watched" }));
    await world.api.ask("executor", { kind: "watch", taskId: 1, fence: 1 }, 5_000);
  });
  afterEach(async () => {
    await Promise.all([world.api.close(), world.executor.close()]);
  });

  test("a follower gets what was there before and what comes, in order and whole", async () => {
    const feed = world.executor.openFeed(name);
    feed.append(events(1, 3));
    const follower = world.api.follow(name, 0);
    expect(await readUntil(follower, 3)).toEqual(events(1, 3));
    feed.append(events(4, 5));
    expect(await readUntil(follower, 5)).toEqual(events(4, 5));
    follower.close();
  });

  test("a follower may be there before the feed", async () => {
    const follower = world.api.follow(name, 0);
    expect(await follower.read(50)).toEqual({ kind: "quiet" });
    world.executor.openFeed(name).append(events(1, 2));
    expect(await readUntil(follower, 2)).toEqual(events(1, 2));
    follower.close();
  });

  test.each([0, 1, 2, 3, 4])("following after event %i gives exactly the rest", async (after) => {
    const feed = world.executor.openFeed(name);
    feed.append(events(1, 5));
    const follower = world.api.follow(name, after);
    expect(await readUntil(follower, 5)).toEqual(events(after + 1, 5));
    follower.close();
  });

  test("appending what is there already changes nothing", async () => {
    world.executor.openFeed(name).append(events(1, 4));
    world.executor.openFeed(name).append(events(1, 6));
    const follower = world.api.follow(name, 0);
    expect(await readUntil(follower, 6)).toEqual(events(1, 6));
    follower.close();
  });

  test("the end comes after everything else, for whoever followed and for who comes late", async () => {
    const feed = world.executor.openFeed(name);
    const early = world.api.follow(name, 0);
    feed.append(events(1, 2));
    feed.end();
    expect(await readUntil(early, 2)).toEqual(events(1, 2));
    expect(await early.read(5_000)).toEqual({ kind: "ended" });
    const late = world.api.follow(name, 1);
    expect(await readUntil(late, 2)).toEqual(events(2, 2));
    expect(await late.read(5_000)).toEqual({ kind: "ended" });
    const atTheEnd = world.api.follow(name, 2);
    expect(await atTheEnd.read(5_000)).toEqual({ kind: "ended" });
    for (const follower of [early, late, atTheEnd]) follower.close();
  });

  test("two followers of one feed get the same, and one that closes disturbs nobody", async () => {
    const feed = world.executor.openFeed(name);
    const [one, other] = [world.api.follow(name, 0), world.api.follow(name, 0)];
    feed.append(events(1, 1));
    expect(await readUntil(one, 1)).toEqual(events(1, 1));
    one.close();
    feed.append(events(2, 2));
    expect(await readUntil(other, 2)).toEqual(events(1, 2));
    other.close();
  });

  test("a flood keeps about the newest 1,000: memory is bounded, the hole is visible", async () => {
    const feed = world.executor.openFeed(name);
    for (let from = 1; from <= 5_000; from += 500) feed.append(events(from, from + 499));
    const late = world.api.follow(name, 0);
    const read = await readUntil(late, 5_000);
    expect(read.length).toBeGreaterThanOrEqual(1_000);
    expect(read.length).toBeLessThan(1_500);
    expect(read.at(-1)).toEqual(events(5_000, 5_000)[0]);
    late.close();
  });

  test("feeds do not mix", async () => {
    world.executor.openFeed(`${name}0`).append(events(7, 9));
    world.executor.openFeed(name).append(events(1, 1));
    const follower = world.api.follow(name, 0);
    expect(await readUntil(follower, 1)).toEqual(events(1, 1));
    expect(await follower.read(50)).toEqual({ kind: "quiet" });
    follower.close();
  });

  test("who reads from a follower that is closed, or whose bus is, is told so", async () => {
    const closed = world.api.follow(name, 0);
    const waiting = world.api.follow(name, 0);
    closed.close();
    expect(await closed.read(5_000)).toEqual({ kind: "away" });
    const reading = waiting.read(20_000);
    await world.api.close();
    expect(await reading).toEqual({ kind: "away" });
  });
}

function events(from: number, to: number): TraceEvent[] {
  return Array.from({ length: to - from + 1 }, (_, index) => {
    const seq = from + index;
    return { seq, at: 1_000 + seq, type: "log", data: { level: "info", message: `第 ${seq}` } };
  });
}

/** Reads until the event `seq` has come. */
async function readUntil(follower: Follower, seq: number): Promise<TraceEvent[]> {
  const read: TraceEvent[] = [];
  while ((read.at(-1)?.seq ?? 0) < seq) {
    const part = await follower.read(10_000);
    if (part.kind !== "events") throw new Error(`${part.kind} before event ${seq}`);
    read.push(...part.events);
  }
  return read;
}

function openLocalWorld(): World {
  const { port1, port2 } = new MessageChannel();
  const api = createLocalBus({ links: [linkOfPort(port1)] });
  const executor = createLocalBus({ links: [linkOfPort(port2)] });
  const close = async (): Promise<void> => {
    await api.close();
    port1.close();
  };
  return { api: { ...api, close }, executor };
}

function openRedisWorld({ url }: RedisService): World {
  const open = (prefix: string) => createRedisBus({ url, prefix }, { logger: createRecordedLog() });
  const prefix = `test:${randomUUID()}:`;
  return { api: open(prefix), executor: open(prefix) };
}
