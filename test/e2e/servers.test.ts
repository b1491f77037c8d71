// The third shape with two api and two executor processes on real MySQL, Redis and nsqd, while things are killed.

import { expect, setDefaultTimeout } from "bun:test";
import { spawnSync } from "node:child_process";
import { createHmac, randomUUID } from "node:crypto";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import Redis from "ioredis";
import {
  type ApiClient,
  clientOf,
  createClient,
  type Detail,
  isEnded,
  signedHeaders,
} from "../support/api-client.ts";
import { describeWith } from "../support/describe-with.ts";
import { overlaps, readEffects } from "../support/effect-log.ts";
import { eventually } from "../support/eventually.ts";
import { afterAll, beforeAll, test } from "../support/long.ts";
import { TEST_LIMIT_MS } from "../support/patience.ts";
import type { PrivateRedis } from "../support/private-redis.ts";
import type { Program } from "../support/program.ts";
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

describeWith(services, {
  title: "servers",
  needs: SERVERS_NEEDS,
  suite: serversSuite,
});

function serversSuite(needs: ServersNeeds): void {
  let servers: ServersShape;
  let apis: Program[];
  let executors: Program[];
  let client: ApiClient;

  beforeAll(async () => {
    const env = { JOBS_DIR, EXECUTOR_SLOTS: "8", CALLBACK_ALLOW: "127.0.0.1" };
    servers = await openServersShape(needs, env);
    const { start } = servers;
    apis = await Promise.all([start("api"), start("api")]);
    executors = await Promise.all([start("executor"), start("executor")]);
    client = await createClient(urlOf(apis, 0), { adminToken: ADMIN_TOKEN, retryTotal: 1 });
  });

  afterAll(async () => {
    await servers.stop();
  });

  test("a task created at one api is seen and killed through the other", async () => {
    const other = clientOf(urlOf(apis, 1), client);
    const id = await client.createJob("action", { do: "spin" });
    await other.until(id, ({ status }) => status === "running");
    const answer = await other.post<{ killed: boolean }>("/task/cancel", { id });
    expect(answer).toMatchObject({
      code: 0,
      msg: "Killed",
      data: { killed: true, method: "thread" },
    });
    expect((await client.until(id, isEnded)).status).toBe("cancelled");
  });

  test("a rotation at one api is known to the other and to the executors", async () => {
    const receiver = await startReceiver();
    const [first, second] = [urlOf(apis, 0), urlOf(apis, 1)];
    const old = await createClient(first, { linkUrl: receiver.url, adminToken: ADMIN_TOKEN });
    const before = await receiver.deliver(clientOf(second, old));
    expect(before["signature"]).toBe(seedSignature(before, old.secret));

    const rotated = await fetch(`${first}/api/v1/applications/${old.appKey}/rotate`, {
      method: "POST",
      headers: { authorization: `Bearer ${ADMIN_TOKEN}`, "content-type": "application/json" },
      body: JSON.stringify({ graceSeconds: 0 }),
    });
    const { secretKey } = (await rotated.json()) as { secretKey: string };
    await eventually(async () => {
      return (await statusWith(second, old)) === 401 ? true : undefined;
    });

    const renewed = clientOf(second, { appKey: old.appKey, secret: secretKey });
    for (let time = 0; time < 4; time++) {
      const headers = await receiver.deliver(renewed);
      expect(headers["signature"]).toBe(seedSignature(headers, secretKey));
      expect(headers).not.toHaveProperty("signature-previous");
    }
    receiver.close();
  });

  test("a cancel travels through the database while Redis is away", async () => {
    const id = await client.createJob("action", { do: "spin" });
    await client.until(id, ({ status }) => status === "running");
    await servers.redis.kill9();
    const answer = await client.post("/task/cancel", { id });
    await servers.redis.restart();
    expect(answer.msg).toBe("Killed");
    expect((await client.until(id, isEnded)).status).toBe("cancelled");
  });

  test("2,000 tasks all end once while nsqd, Redis and an executor are killed", async () => {
    const file = join(urlFolder(executors), "effects.log");
    const ids = await createEffects(client, file, 2000);
    await client.until(ids[100] ?? 0, isEnded);
    const afterMs = Date.now();
    await Promise.all([servers.nsqd.kill9(), flush(servers.redis), killWithExecutor(executors[0])]);
    const death = { afterMs, beforeMs: Date.now() };
    await servers.nsqd.restart();
    executors[0] = await servers.start("executor");
    const ended: Detail[] = [];
    for (const id of ids) ended.push(await client.until(id, isEnded));
    expect(ended.filter(({ status }) => status !== "succeeded")).toEqual([]);
    const effects = readEffects(file);
    expect(new Set(effects.map(({ taskId }) => taskId)).size).toBe(2000);
    expect(overlaps(effects, death)).toEqual([]);
    expect(ended.flatMap(({ attempts }) => attempts.filter(isCountedTwice))).toEqual([]);
  });

  test("readyz stays 200 and names what is degraded while nsqd is away", async () => {
    await servers.nsqd.kill9();
    const id = await client.createJob("effect", { file: "/dev/null", ms: 0 });
    expect((await client.until(id, isEnded)).status).toBe("succeeded");
    const answer = await fetch(`${urlOf(apis, 0)}/readyz`);
    expect(answer.status).toBe(200);
    expect(JSON.stringify(await answer.json())).toContain("degraded");
    await servers.nsqd.restart();
  });
}

/** Kills the main process; its executor ends itself. Settles when both are gone. */
async function killWithExecutor(program: Program | undefined): Promise<void> {
  const { stdout } = spawnSync("pgrep", ["-P", String(program?.pid)], { encoding: "utf8" });
  await program?.kill9();
  await eventually(() => !existsSync(`/proc/${stdout.trim()}`) || undefined);
}

function isCountedTwice({
  outcome,
  charged,
}: {
  outcome: string | null;
  charged: boolean;
}): boolean {
  return charged !== (outcome === "succeeded");
}

function urlOf(programs: readonly Program[], index: number): string {
  const program = programs[index];
  if (program === undefined) throw new Error(`no program ${index}`);
  return program.url;
}

function urlFolder(programs: readonly Program[]): string {
  const program = programs[1];
  if (program === undefined) throw new Error("no second executor");
  return program.folder;
}

async function createEffects(client: ApiClient, file: string, count: number): Promise<number[]> {
  const ids: number[] = [];
  for (let made = 0; made < count; made += 100) {
    const batch = Array.from({ length: 100 }, () => client.createJob("effect", { file, ms: 20 }));
    ids.push(...(await Promise.all(batch)));
  }
  return ids;
}

async function flush({ url }: PrivateRedis): Promise<void> {
  const connection = new Redis(url);
  await connection.flushall();
  await connection.quit();
}

type Headers = Record<string, string>;

/** Answers `success`; delivers one task after the other and tells the headers of each. */
async function startReceiver() {
  let heard = Promise.withResolvers<Headers>();
  const server = createServer((request, response) => {
    heard.resolve(request.headers as Headers);
    response.end("success");
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    deliver: async (by: ApiClient): Promise<Headers> => {
      heard = Promise.withResolvers();
      const task = { taskNo: randomUUID(), name: "x", content: { order: 7 }, timeout: 5_000 };
      const { code, msg } = await by.post("/task/create", task);
      if (code !== 0) throw new Error(`task/create: ${msg}`);
      return heard.promise;
    },
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

/** Of a request that changes nothing. */
async function statusWith(url: string, { appKey, secret }: ApiClient): Promise<number> {
  const path = "/task/detail";
  const body = JSON.stringify({ id: 1 });
  const signed = signedHeaders({ appKey, secret }, `POST ${path}\n${body}`);
  const headers = { "content-type": "application/json", ...signed };
  return (await fetch(url + path, { method: "POST", headers, body })).status;
}

function seedSignature(headers: Headers, secret: string): string {
  const text = `${headers["timestamps"]}${headers["nonce"]}${headers["payload"]}`;
  return Buffer.from(createHmac("sha256", secret).update(text).digest("hex")).toString("base64");
}
