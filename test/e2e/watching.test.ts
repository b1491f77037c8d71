// Watching with the real program: a spinning job live, finished ones again, from any api, and what Redis has to do with it.

import { expect, setDefaultTimeout } from "bun:test";
import { join } from "node:path";
import Redis from "ioredis";
import { type ApiClient, clientOf, createClient, isEnded } from "../support/api-client.ts";
import { describeWith } from "../support/describe-with.ts";
import { readEffects } from "../support/effect-log.ts";
import { type OpenStream, openStream } from "../support/event-stream.ts";
import { eventually } from "../support/eventually.ts";
import { findFreePort } from "../support/free-port.ts";
import { afterAll, beforeAll, describe, test } from "../support/long.ts";
import { TEST_LIMIT_MS } from "../support/patience.ts";
import type { PrivateRedis } from "../support/private-redis.ts";
import { type Program, startProgram } from "../support/program.ts";
import {
  ADMIN_TOKEN,
  openServersShape,
  SERVERS_NEEDS,
  type ServersNeeds,
  type ServersShape,
} from "../support/servers-shape.ts";
import { acquireServices } from "../support/services.ts";

const JOBS_DIR = new URL("../jobs", import.meta.url).pathname;

setDefaultTimeout(TEST_LIMIT_MS);

const services = await acquireServices();

/** Watches with a ticket, as a browser would. */
async function watch(
  url: string,
  client: ApiClient,
  { id, lastId }: { readonly id: number; readonly lastId?: string },
): Promise<OpenStream> {
  const { data } = await client.post<{ ticket: string }>(`/task/${id}/ticket`, {});
  const resumed = lastId === undefined ? "" : `&lastEventId=${lastId}`;
  return openStream(`${url}/task/${id}/events?ticket=${data.ticket}${resumed}`);
}

function idsOf({ events }: OpenStream): string[] {
  return events.map(({ id, event }) => id ?? String(event));
}

describe("embedded", () => {
  let program: Program;
  let client: ApiClient;

  beforeAll(async () => {
    program = await startProgram({ env: { JOBS_DIR, LEASE_MS: "3000" } });
    client = await createClient(program.url);
  });
  afterAll(() => program.stop());

  test("what a job says is seen while it spins, and so is its end", async () => {
    const id = await client.createJob("action", { do: "watch-and-spin", value: { page: 3 } });
    const stream = await watch(program.url, client, { id });
    const progress = await stream.until(({ event }) => event === "progress");
    expect(JSON.parse(progress.data ?? "")).toMatchObject({ data: { percent: 42 } });
    await client.post("/task/cancel", { id });
    await stream.toEnd();
    expect(stream.events.map(({ event }) => event)).toEqual([
      "state",
      "watch",
      "progress",
      "state",
      "end",
    ]);
    expect(idsOf(stream)).toEqual(["1-1", "1-2", "1-3", "1-4", "end"]);
    expect(stream.events.at(-1)?.data).toBe('{"status":"cancelled"}');
  });

  test("the last of several quick steps forward is seen in the stream and in the detail", async () => {
    const id = await client.createJob("action", { do: "progress-and-wait" });
    const stream = await watch(program.url, client, { id });
    await stream.until(
      ({ event, data = "" }) => event === "progress" && data.includes(`"percent":60`),
    );
    const { progress } = await client.detail(id);
    expect(progress).toMatchObject({ percent: 60 });
    await client.post("/task/cancel", { id });
    await stream.toEnd();
  });

  test("steps are told nested, and every place can be resumed from", async () => {
    const id = await client.createJob("action", { do: "steps" });
    await client.until(id, isEnded);
    const whole = await watch(program.url, client, { id });
    await whole.toEnd();
    const ids = idsOf(whole);
    expect(ids.length).toBe(10);
    for (const [index, lastId] of ids.slice(0, -1).entries()) {
      const rest = await watch(program.url, client, { id, lastId });
      await rest.toEnd();
      expect(idsOf(rest)).toEqual(ids.slice(index + 1));
    }
  });

  test("a flood is told with its gaps, without a silent hole, and the job succeeds", async () => {
    const id = await client.createJob("action", { do: "flood", value: 50_000 });
    const stream = await watch(program.url, client, { id });
    await stream.toEnd();
    let next = 1;
    for (const { data } of stream.events.slice(0, -1)) {
      const event = JSON.parse(data ?? "") as { seq: number; type: string; data: { from: number } };
      expect(event.type === "gap" ? event.data.from : event.seq).toBe(next);
      next = event.seq + 1;
    }
    expect(next).toBe(50_004);
    expect(stream.events.at(-1)?.data).toBe('{"status":"succeeded"}');
  });

  test("a waiting job shows what it uses up", async () => {
    const id = await client.createJob("action", { do: "sleep-twice-and-wait" });
    const detail = await client.until(id, ({ round }) => round === 2);
    expect(detail).toMatchObject({ source: "live", moving: false });
    const { freshness_ms, heap_bytes, rss_bytes, event_loop_lag_ms } = detail;
    for (const figure of [freshness_ms, event_loop_lag_ms]) expect(figure).toBeNumber();
    for (const figure of [heap_bytes, rss_bytes]) expect(figure).toBeGreaterThan(100_000);
    await client.post("/task/cancel", { id });
  });

  test("a stream says good-bye when the program stops", async () => {
    const id = await client.createJob("action", { do: "never" });
    const stream = await watch(program.url, client, { id });
    await stream.until(({ event }) => event === "state");
    const reading = stream.toEnd();
    const stopped = program.terminate();
    await client.post("/task/cancel", { id }).catch(() => undefined);
    await reading;
    expect(await stopped).toBe(0);
    expect(stream.comments.at(-1) ?? stream.events.at(-1)?.event).toMatch(/connect again|end/);
  });
});

describeWith(services, {
  title: "servers",
  needs: SERVERS_NEEDS,
  suite: serversSuite,
});

function serversSuite(needs: ServersNeeds): void {
  let servers: ServersShape;
  let programs: readonly [Program, Program, Program];
  let client: ApiClient;
  let other: ApiClient;

  beforeAll(async () => {
    servers = await openServersShape(needs, { JOBS_DIR });
    const { start } = servers;
    programs = await Promise.all([start("api"), start("api"), start("executor")]);
    client = await createClient(programs[0].url, { adminToken: ADMIN_TOKEN, retryTotal: 1 });
    other = clientOf(programs[1].url, client);
  });

  afterAll(async () => {
    await servers.stop();
  });

  test("while nobody watches nothing is sent to Redis", async () => {
    const file = join(programs[2].folder, "effects.log");
    await ask(servers.redis, (connection) => connection.config("RESETSTAT"));
    for (let made = 0; made < 20; made++) await client.createJob("effect", { file, ms: 1 });
    await eventually(() => (readEffects(file).length >= 40 ? true : undefined));
    const stats = await ask(servers.redis, (connection) => connection.info("commandstats"));
    const used = [...stats.matchAll(/cmdstat_([a-z]+)/g)].map(([, name]) => name);
    // EXPIRE of a key that does not exist asks whether writes are taken; an event would come by XADD.
    const asking = ["ping", "expire"];
    const harmless = [...asking, "config", "info", "client", "hello", "subscribe", "select"];
    expect(used.filter((name) => !harmless.includes(String(name)))).toEqual([]);
    expect(await ask(servers.redis, (connection) => connection.dbsize())).toBe(0);
  });

  test("a task is watched through either api, also while it spins, and leaves Redis after it", async () => {
    const id = await client.createJob("action", { do: "watch-and-spin", value: { page: 3 } });
    const streams = [
      await watch(programs[0].url, client, { id }),
      await watch(programs[1].url, other, { id }),
    ];
    for (const stream of streams) await stream.until(({ event }) => event === "progress");
    const late = await watch(programs[1].url, other, { id, lastId: "1-1" });
    await late.until(({ event }) => event === "progress");
    await client.post("/task/cancel", { id });
    for (const stream of [...streams, late]) await stream.toEnd();
    expect(streams.map(idsOf)).toEqual(
      Array.from({ length: 2 }, () => ["1-1", "1-2", "1-3", "1-4", "end"]),
    );
    expect(idsOf(late)).toEqual(["1-2", "1-3", "1-4", "end"]);
    const [key = ""] = await ask(servers.redis, (connection) => connection.keys("*events:*"));
    const leftS = await ask(servers.redis, (connection) => connection.ttl(key));
    expect(leftS).toBeGreaterThan(0);
    expect(leftS).toBeLessThanOrEqual(60);
  });

  test("when Redis is killed the stream says so, detail answers from the checkpoint, and both come back", async () => {
    const id = await client.createJob("action", { do: "watch-and-spin", value: { page: 7 } });
    const stream = await watch(programs[0].url, client, { id });
    const last = await stream.until(({ event }) => event === "progress");
    // A third of the lease, and a checkpoint is there.
    await eventually(async () => ((await client.detail(id)).elapsed > 5_000 ? true : undefined));
    await servers.redis.kill9();
    await stream.toEnd();
    expect(stream.events.at(-1)).toMatchObject({
      event: "reset",
      data: `{"reason":"live-lost","after":"${last.id}"}`,
    });
    const detail = await other.detail(id);
    expect(detail).toMatchObject({ status: "running", source: "checkpoint", vars: { page: 7 } });
    expect(detail.executed_file_name).toEndWith("action.ts");
    await servers.redis.restart();
    await client.until(id, ({ source }) => source === "live");
    const again = await watch(programs[1].url, other, { id, lastId: last.id ?? "" });
    await client.post("/task/cancel", { id });
    await again.toEnd();
    expect(again.events.at(-1)?.data).toBe('{"status":"cancelled"}');
    const whole = await watch(programs[0].url, client, { id });
    await whole.toEnd();
    expect(idsOf(whole)).toEqual(["1-1", "1-2", "1-3", "1-4", "end"]);
  });

  test("when Redis becomes a replica the stream says so, readyz is degraded, and both come back", async () => {
    const id = await client.createJob("action", { do: "watch-and-spin", value: { page: 7 } });
    const stream = await watch(programs[0].url, client, { id });
    const last = await stream.until(({ event }) => event === "progress");
    const nowhere = await findFreePort();
    await ask(servers.redis, (connection) => connection.replicaof("127.0.0.1", nowhere));
    await stream.toEnd();
    expect(stream.events.at(-1)).toMatchObject({
      event: "reset",
      data: `{"reason":"live-lost","after":"${last.id}"}`,
    });
    await eventually(async () => ((await busOf(programs[0])) === "up" ? undefined : true));
    await ask(servers.redis, (connection) => connection.replicaof("NO", "ONE"));
    await eventually(async () => ((await busOf(programs[0])) === "up" ? true : undefined));
    await client.until(id, ({ source }) => source === "live");
    await client.post("/task/cancel", { id });
  });
}

async function busOf({ url }: Program): Promise<string | undefined> {
  const answer = await fetch(`${url}/readyz`);
  const { data } = (await answer.json()) as { data: { checks: Record<string, string> } };
  return data.checks["bus"];
}

async function ask<T>({ url }: PrivateRedis, act: (connection: Redis) => Promise<T>): Promise<T> {
  const connection = new Redis(url);
  try {
    return await act(connection);
  } finally {
    connection.disconnect();
  }
}
