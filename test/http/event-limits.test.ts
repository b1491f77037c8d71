// Watching a task: allowed callers, their number, and what becomes of readers that are slow or gone.
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { connect } from "node:net";
import type { Feed } from "../../src/bus/bus.ts";
import { feedOf } from "../../src/core/live.ts";
import { listen } from "../../src/http/listen.ts";
import { createHttpApp } from "../../src/http/server.ts";
import { openStream } from "../support/event-stream.ts";
import { eventually } from "../support/eventually.ts";
import { patienceMs, TEST_LIMIT_MS } from "../support/patience.ts";
import { createEventWorld, type EventWorld, idsOf, logs } from "./event-world.ts";
import { signatureFor } from "./http-harness.ts";

setDefaultTimeout(TEST_LIMIT_MS);

let world: EventWorld;
let nowMs = Date.now();
beforeAll(async () => {
  world = await createEventWorld({ nowMs: () => nowMs });
});
afterAll(() => world.close());

describe("who may watch", () => {
  async function ticketFor(id: number): Promise<{ ticket: string; expires_at: number }> {
    const answer = await world.harness.postSigned(world.keys, `/task/${id}/ticket`, {});
    expect(answer.status).toBe(200);
    return answer.body.data as { ticket: string; expires_at: number };
  }

  test("a ticket opens the stream of its task without a signature, from any origin", async () => {
    const task = await world.runningTask();
    await world.end(task, logs(1), "succeeded");
    const { ticket, expires_at } = await ticketFor(task.taskId);
    expect(expires_at).toBe(nowMs + 60_000);
    const stream = await openStream(world.url(`/task/${task.taskId}/events?ticket=${ticket}`));
    await stream.toEnd();
    expect(idsOf(stream)).toEqual(["1-1", "end"]);
    expect(stream.response.headers.get("access-control-allow-origin")).toBe("*");
  });

  test("a ticket for another task, an old one, a changed one and none are all 401", async () => {
    const task = await world.runningTask();
    await world.end(task, logs(1), "succeeded");
    const { ticket } = await ticketFor(task.taskId);
    const middle = ticket.length >> 1;
    const changed =
      ticket.slice(0, middle) + (ticket[middle] === "A" ? "B" : "A") + ticket.slice(middle + 1);
    const path = `/task/${task.taskId}/events`;
    const bad = [
      `/task/${task.taskId - 1}/events?ticket=${ticket}`,
      `${path}?ticket=${changed}`,
      `${path}?ticket=v1.nothing`,
      path,
    ];
    for (const wrong of bad) expect((await world.harness.ask(wrong)).status).toBe(401);
    const before = nowMs;
    nowMs += 60_000;
    const late = await world.harness.ask(`${path}?ticket=${ticket}`);
    nowMs = before;
    expect(late.status).toBe(401);
    expect(late.body).toMatchObject({ code: 1, data: [] });
  });

  test("a sealed secret of an application is no ticket", async () => {
    const task = await world.runningTask();
    await world.end(task, logs(1), "succeeded");
    const sealed =
      (await world.harness.store.applications.find(world.keys.appKey))?.secretSealed ?? "";
    const answer = await world.harness.ask(`/task/${task.taskId}/events?ticket=${sealed}`);
    expect(answer.status).toBe(401);
  });

  test("another application's task, one that never was and a path that is none are 404", async () => {
    const task = await world.runningTask();
    await world.end(task, logs(1), "succeeded");
    const stranger = await world.harness.createApplication();
    const stream = await world.watch(task.taskId, { as: stranger });
    expect(stream.response.status).toBe(404);
    await stream.close();
    expect(
      (await world.harness.postSigned(stranger, `/task/${task.taskId}/ticket`, {})).status,
    ).toBe(404);
    expect((await world.harness.postSigned(world.keys, "/task/999999/ticket", {})).status).toBe(
      404,
    );
    expect((await world.harness.postSigned(world.keys, "/task/abc/ticket", {})).status).toBe(404);
  });

  test("the wrong method is 405 and names the right one", async () => {
    const answer = await world.harness.post("/task/1/events", {});
    expect([answer.status, answer.headers.get("allow")]).toEqual([405, "GET, HEAD, OPTIONS"]);
  });
});

describe("limits", () => {
  async function withApp<T>(
    limits: Parameters<typeof createHttpApp>[1],
    act: (app: ReturnType<typeof createHttpApp>, port: number) => Promise<T>,
  ): Promise<T> {
    const app = createHttpApp(world.harness.deps, limits);
    const own = await listen(app, { host: "127.0.0.1", port: 0 });
    try {
      return await act(app, own.port);
    } finally {
      app.endStreams();
      await own.stop();
    }
  }

  test("too many streams are 503 with Retry-After, and room is made by who leaves", async () => {
    const id = await world.idleTask();
    await withApp({ most: 1 }, async (_, port) => {
      const first = await world.watch(id, { port });
      const refused = await world.watch(id, { port });
      expect(refused.response.status).toBe(503);
      expect(Number(refused.response.headers.get("retry-after"))).toBeGreaterThan(0);
      await refused.close();
      await first.close();
      const next = await eventually(async () => {
        const stream = await world.watch(id, { port });
        if (stream.response.status === 200) return stream;
        await stream.close();
        return undefined;
      });
      await next.close();
    });
  });

  /** Opens a stream; resolves to the reason why it was refused; undefined when it was not. */
  async function refusalOf(opening: ReturnType<typeof world.watch>): Promise<string | undefined> {
    const { response, close } = await opening;
    if (response.status === 200) return;
    await close();
    return `${response.status} ${response.headers.get("retry-after")}`;
  }

  test("one application gets half of the streams, the others the rest", async () => {
    const id = await world.idleTask();
    const stranger = await createStranger();
    await withApp({ most: 4 }, async (_, port) => {
      const own = () => world.watch(id, { port });
      expect([await refusalOf(own()), await refusalOf(own())]).toEqual([undefined, undefined]);
      expect(await refusalOf(own())).toBe("503 5");
      const others = () => world.watch(stranger.taskId, { port, as: stranger.keys });
      expect([await refusalOf(others()), await refusalOf(others())]).toEqual([
        undefined,
        undefined,
      ]);
      expect(await refusalOf(others())).toBe("503 5");
    });
  });

  test("the refusal says the figures", async () => {
    const id = await world.idleTask();
    await withApp({ most: 2 }, async (app, port) => {
      expect(await refusalOf(world.watch(id, { port }))).toBeUndefined();
      const path = `/task/${id}/events`;
      const headers = signatureFor(world.keys, { method: "GET", path });
      const answer = await app.fetch(new Request(`http://127.0.0.1:9502${path}`, { headers }));
      expect(await answer.text()).toContain(
        "your application has 1 of its 1 streams in this process open",
      );
    });
  });

  test("a ticket opens one stream at a time", async () => {
    const id = await world.idleTask();
    await withApp({}, async (_, port) => {
      const { data } = (await world.harness.postSigned(world.keys, `/task/${id}/ticket`, {})).body;
      const { ticket } = data as { ticket: string };
      const open = () => openStream(world.url(`/task/${id}/events?ticket=${ticket}`, port));
      const first = await open();
      expect(first.response.status).toBe(200);
      expect(await refusalOf(open())).toBe("503 5");
      await first.close();
      const again = await eventually(async () => {
        const stream = await open();
        if (stream.response.status === 200) return stream;
        await stream.close();
        return undefined;
      });
      await again.close();
    });
  });

  test("an old stream ends with a reset, and its reader resumes where it was", async () => {
    const task = await world.runningTask();
    const feed = world.feed(task);
    feed.append(logs(1, 2));
    const stream = await withApp({ mostAgeMs: 300 }, async (_, port) => {
      const old = await world.watch(task.taskId, { port });
      await old.toEnd();
      return old;
    });
    expect(idsOf(stream).at(-1)).toBe("reset");
    expect(stream.events.at(-1)?.data).toBe('{"reason":"old","after":null}');
    await world.end(task, logs(1, 3), "succeeded");
    const lastId = stream.events.findLast(({ id }) => id !== undefined)?.id;
    const resumed = await world.watch(task.taskId, { ...(lastId && { lastId }) });
    await resumed.toEnd();
    const all = [...stream.events, ...resumed.events].flatMap(({ id }) => id ?? []);
    expect(all).toEqual(["1-1", "1-2", "1-3"]);
  });

  test("a silent stream carries comments", async () => {
    const id = await world.idleTask();
    await withApp({ heartbeatMs: 20 }, async (app, port) => {
      const stream = await world.watch(id, { port });
      const reading = stream.toEnd();
      await eventually(() => (stream.comments.length > 2 ? true : undefined));
      app.endStreams();
      await reading;
      expect(stream.comments.at(-1)).toContain("connect again");
      expect(stream.events).toEqual([]);
    });
  });

  test("a stopping process refuses new streams", async () => {
    const id = await world.idleTask();
    await withApp({}, async (app, port) => {
      app.endStreams();
      const refused = await world.watch(id, { port });
      expect(refused.response.status).toBe(503);
      await refused.close();
    });
  });

  test("a reader that takes nothing is dropped with a reset, and costs no more than the socket", async () => {
    const task = await world.runningTask();
    const feed = world.feed(task);
    await withApp({ most: 1, patienceMs: 300 }, async (_, port) => {
      const path = `/task/${task.taskId}/events`;
      const headers = Object.entries(signatureFor(world.keys, { method: "GET", path }));
      const lines = headers.map(([name, value]) => `${name}: ${value}`).join("\r\n");
      const socket = connect(port, "127.0.0.1");
      socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n${lines}\r\n\r\n`);
      socket.pause();
      const name = feedOf(task);
      await eventually(() => (world.watched.includes(name) ? true : undefined));
      const flood = startFlood(feed);
      // Its place is free again although it never left.
      await eventually(async () => {
        const next = await world.watch(task.taskId, { port });
        await next.close();
        return next.response.status === 200 && flood.seq() > 600 ? true : undefined;
      });
      flood.stop();
      const text = await readAll(socket);
      expect(text).toContain('{"reason":"slow-reader","after":null}');
      expect(text.length).toBeLessThan(20_000_000);
    });
    await world.end(task, logs(1), "succeeded");
  });
});

/** Another application with a task that waits. */
async function createStranger() {
  const { harness } = world;
  const keys = await harness.createApplication();
  const body = { taskNo: "stranger", name: "x", content: {}, timeout: 1000 };
  const runtime = Math.floor(Date.now() / 1000) + 86_400;
  const { data } = (await harness.postSigned(keys, "/task/create", { ...body, runtime })).body;
  return { keys, taskId: (data as { taskId: number }).taskId };
}

/** More than any socket buffers. */
function startFlood(feed: Feed) {
  const data = { level: "info", message: "x".repeat(30_000) };
  let seq = 0;
  const timer = setInterval(() => {
    feed.append(logs(seq + 1, seq + 20).map((event) => ({ ...event, data })));
    seq += 20;
  }, 10);
  return { seq: () => seq, stop: () => clearInterval(timer) };
}

function readAll(socket: ReturnType<typeof connect>): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    const timer = setTimeout(() => reject(new Error("the stream goes on")), patienceMs());
    socket.on("data", (chunk: Buffer) => {
      chunks.push(chunk);
      const text = Buffer.concat(chunks.slice(-2)).toString();
      if (!text.includes("slow-reader")) return;
      clearTimeout(timer);
      socket.destroy();
      resolve(Buffer.concat(chunks).toString());
    });
    socket.resume();
  });
}
