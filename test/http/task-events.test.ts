// Watching a task over a real socket: history, live, and resuming. The executor is played.
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { feedOf } from "../../src/core/live.ts";
import { listen } from "../../src/http/listen.ts";
import { createHttpApp } from "../../src/http/server.ts";
import { TEST_LIMIT_MS } from "../support/patience.ts";
import { endAttempt } from "../support/use-case-world.ts";
import { createEventWorld, type EventWorld, idsOf, logs } from "./event-world.ts";

setDefaultTimeout(TEST_LIMIT_MS);

let world: EventWorld;
beforeAll(async () => {
  world = await createEventWorld();
});
afterAll(() => world.close());

describe("the stream of a task that is over", () => {
  test("tells all its attempts in order, then its end", async () => {
    const first = await world.runningTask();
    await world.end(first, logs(1, 3), "failed");
    await world.end(await world.claim(), logs(1, 2), "succeeded");
    const stream = await world.watch(first.taskId);
    await stream.toEnd();
    expect(stream.response.headers.get("content-type")).toContain("text/event-stream");
    expect(idsOf(stream)).toEqual(["1-1", "1-2", "1-3", "2-1", "2-2", "end"]);
    expect(JSON.parse(stream.events[0]?.data ?? "")).toEqual(logs(1)[0] ?? null);
    expect(stream.events[0]?.event).toBe("log");
    expect(JSON.parse(stream.events.at(-1)?.data ?? "")).toEqual({ status: "succeeded" });
  });

  test("resumes after every one of its events, by header and by query", async () => {
    const first = await world.runningTask();
    await world.end(first, logs(1, 2), "failed");
    await world.end(await world.claim(), logs(1, 2), "failed");
    const all = ["1-1", "1-2", "2-1", "2-2"];
    for (const [index, lastId] of all.entries()) {
      const byHeader = await world.watch(first.taskId, { lastId });
      const byQuery = await world.watch(first.taskId, { query: `?lastEventId=${lastId}` });
      await Promise.all([byHeader.toEnd(), byQuery.toEnd()]);
      expect(idsOf(byHeader)).toEqual([...all.slice(index + 1), "end"]);
      expect(idsOf(byQuery)).toEqual(idsOf(byHeader));
    }
  });

  test("says reset to who comes back after what was dropped, and a gap to who begins", async () => {
    const task = await world.runningTask();
    const gap = { seq: 50, at: 5, type: "gap", data: { from: 2, to: 50 } } as const;
    await world.end(task, [...logs(1), gap, ...logs(51, 52)], "succeeded");
    const [fresh, back] = [
      await world.watch(task.taskId),
      await world.watch(task.taskId, { lastId: "1-20" }),
    ];
    await Promise.all([fresh.toEnd(), back.toEnd()]);
    expect(idsOf(fresh)).toEqual(["1-1", "1-50", "1-51", "1-52", "end"]);
    expect(idsOf(back)).toEqual(["reset", "1-50", "1-51", "1-52", "end"]);
    expect(JSON.parse(back.events[0]?.data ?? "")).toEqual({ reason: "gap", after: "1-20" });
    expect(JSON.parse(back.events[1]?.data ?? "")).toMatchObject({ data: { from: 21, to: 50 } });
  });

  test.each(["nonsense", "9-1"])("begins anew after a reset for the place %p", async (lastId) => {
    const task = await world.runningTask();
    await world.end(task, logs(1), "succeeded");
    const stream = await world.watch(task.taskId, { lastId });
    await stream.toEnd();
    expect(idsOf(stream)).toEqual(["reset", "1-1", "end"]);
  });

  test("of a delivery, or of an attempt that was lost, still has a begin and an end", async () => {
    const id = await world.newTask(null, "callback");
    const delivery = await world.claim("callback");
    await endAttempt(world.harness.store, delivery, { outcome: "succeeded" });
    const stream = await world.watch(id);
    await stream.toEnd();
    expect(idsOf(stream)).toEqual(["1-1", "1-2", "end"]);
    expect(stream.events[1]?.data).toContain('"state":"succeeded"');
  });
});

describe("the stream of a task that runs", () => {
  test("goes on live, and ends when the task does", async () => {
    const task = await world.runningTask();
    const feed = world.feed(task);
    feed.append(logs(1, 2));
    const stream = await world.watch(task.taskId);
    await stream.until(({ id }) => id === "1-2");
    expect(world.watched).toContain(feedOf(task));
    feed.append(logs(3));
    await stream.until(({ id }) => id === "1-3");
    await world.end(task, logs(1, 4), "succeeded");
    feed.end();
    await stream.toEnd();
    expect(idsOf(stream)).toEqual(["1-1", "1-2", "1-3", "1-4", "end"]);
  });

  test("stays open over a retry and tells both attempts", async () => {
    const task = await world.runningTask();
    const feed = world.feed(task);
    const stream = await world.watch(task.taskId);
    feed.append(logs(1));
    await stream.until(({ id }) => id === "1-1");
    await world.end(task, logs(1, 2), "failed");
    feed.end();
    await stream.until(({ id }) => id === "1-2");
    const second = await world.claim();
    world.feed(second).append(logs(1));
    await stream.until(({ id }) => id === "2-1");
    await world.end(second, logs(1, 1), "succeeded");
    world.feed(second).end();
    await stream.toEnd();
    expect(idsOf(stream)).toEqual(["1-1", "1-2", "2-1", "end"]);
  });

  test("tells what was lost on the way as a gap", async () => {
    const task = await world.runningTask();
    const feed = world.feed(task);
    const stream = await world.watch(task.taskId);
    feed.append(logs(1));
    feed.append(logs(9));
    await stream.until(({ id }) => id === "1-9");
    expect(idsOf(stream)).toEqual(["1-1", "1-8", "1-9"]);
    expect(stream.events[1]?.data).toContain('"data":{"from":2,"to":8}');
    await stream.close();
    await world.end(task, logs(1), "succeeded");
  });

  test("whose executor cannot be reached goes on from the database", async () => {
    const task = await world.runningTask();
    const { deps } = world.harness;
    const bus = { ...deps.bus, ask: async () => undefined };
    const app = createHttpApp({ ...deps, bus });
    const lonely = await listen(app, { host: "127.0.0.1", port: 0 });
    const stream = await world.watch(task.taskId, { port: lonely.port });
    await world.end(task, logs(1, 2), "succeeded");
    await stream.toEnd();
    expect(idsOf(stream)).toEqual(["1-1", "1-2", "end"]);
    await lonely.stop();
  });
});
