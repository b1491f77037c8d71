// Receivers through the whole program: a dead and a slow one keep nobody else waiting; a delivery can be cancelled.
import { expect, setDefaultTimeout } from "bun:test";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { GateState, HostState } from "../../src/core/views/hosts.ts";
import { type ApiClient, createClient, isEnded, signedHeaders } from "../support/api-client.ts";
import { eventually } from "../support/eventually.ts";
import { afterAll, beforeAll, describe, test } from "../support/long.ts";
import { TEST_LIMIT_MS } from "../support/patience.ts";
import { type Program, startProgram } from "../support/program.ts";

setDefaultTimeout(TEST_LIMIT_MS);

/** A tenth is 2: what a host begins with. */
const CONCURRENCY = 20;

/** A receiver whose mood the test decides. */
interface Host {
  readonly client: ApiClient;
  readonly name: string;
  mood: "answers" | "resets" | "holds";
  /** When it heard its requests, epoch ms. */
  readonly heardAt: readonly number[];
  /** Most requests it held at once. */
  mostHeld(): number;
  /** Resolves to what it holds. */
  release(): void;
  /** Of its one application there. */
  state(): Promise<GateState | undefined>;
}

let program: Program;
const servers: Server[] = [];

beforeAll(async () => {
  program = await startProgram({ env: { CALLBACK_CONCURRENCY: String(CONCURRENCY) } });
});
afterAll(async () => {
  await program.stop();
  for (const server of servers) {
    server.closeAllConnections();
    server.close();
  }
});

async function openHost(mood: Host["mood"]): Promise<Host> {
  const heardAt: number[] = [];
  let mostHeld = 0;
  const held = new Set<ServerResponse>();
  const server = createServer((request, response) => {
    heardAt.push(Date.now());
    if (host.mood === "resets") request.socket.resetAndDestroy();
    if (host.mood === "answers") response.end("success");
    if (host.mood !== "holds") return;
    held.add(response);
    mostHeld = Math.max(mostHeld, held.size);
    response.once("close", () => held.delete(response));
  });
  servers.push(server.listen(0, "127.0.0.1"));
  await once(server, "listening");
  const name = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const host: Host = {
    client: await createClient(program.url, { linkUrl: `http://${name}/`, retryTotal: 10 }),
    name,
    mood,
    heardAt,
    mostHeld: () => mostHeld,
    release: () => {
      for (const response of held) response.end("success");
    },
    state: async () => {
      const answer = await fetch(`${program.url}/api/v1/hosts`);
      const { hosts } = (await answer.json()) as { hosts: HostState[] };
      return hosts.find((each) => each.host === name)?.applications[0];
    },
  };
  return host;
}

/** Creates `count` tasks at once; those that fail are due again at once. */
async function create({ client }: Host, count: number): Promise<number[]> {
  const retry = { strategy: "fixed", step: 0, max: 50 };
  const answers = await Promise.all(
    Array.from({ length: count }, () => {
      const task = { taskNo: randomUUID(), name: "x", content: { order: 7 }, timeout: 20_000 };
      return client.post<{ taskId: number }>("/task/create", { ...task, retry });
    }),
  );
  return answers.map(({ data }) => data.taskId);
}

async function allSucceed({ client }: Host, ids: readonly number[]): Promise<void> {
  const ends = await Promise.all(ids.map((id) => client.until(id, isEnded)));
  expect(ends.map(({ status }) => status)).toEqual(ids.map(() => "succeeded"));
}

async function stateWhen(host: Host, isIt: (state: GateState) => boolean): Promise<GateState> {
  return eventually(async () => {
    const state = await host.state();
    return state !== undefined && isIt(state) ? state : undefined;
  });
}

describe("a dead host", () => {
  test("is shut out without attempts while the others are served, probed, and served again", async () => {
    const [dead, healthy] = [await openHost("resets"), await openHost("answers")];
    const before = Date.now();
    const first = await create(dead, 1);
    const open = await stateWhen(dead, ({ state }) => state === "open");
    // Shut out: what is due there waits without an attempt, and nobody else does.
    dead.mood = "holds";
    // Five, or more when the test was slower than the first probe.
    const { failures } = open;
    expect(failures).toBeGreaterThanOrEqual(5);
    expect(open.inFlight).toBe(0);
    expect(open.nextTry).toBeGreaterThan(before);
    expect(dead.heardAt).toHaveLength(failures);
    const tasks = [...first, ...(await create(dead, 5))];
    await allSucceed(healthy, await create(healthy, 20));

    // Its time is over: one delivery, however many are due.
    const probed = await stateWhen(dead, ({ state, inFlight }) => state !== "open" && inFlight > 0);
    expect(probed).toMatchObject({ state: "half-open", inFlight: 1, nextTry: null });
    await allSucceed(healthy, await create(healthy, 20));
    const details = await Promise.all(tasks.map((id) => dead.client.detail(id)));
    expect(details.flatMap(({ attempts }) => attempts)).toHaveLength(failures + 1);
    expect(dead.heardAt).toHaveLength(failures + 1);
    expect(dead.heardAt[failures]).toBeGreaterThanOrEqual(open.nextTry ?? Number.POSITIVE_INFINITY);

    dead.mood = "answers";
    dead.release();
    await allSucceed(dead, tasks);
    const closed = { state: "closed", failures: 0, inFlight: 0, nextTry: null };
    expect(await stateWhen(dead, ({ state }) => state === "closed")).toMatchObject(closed);
    expect(await healthy.state()).toMatchObject(closed);
  });
});

describe("a slow host", () => {
  test("keeps a tenth of the slots, and gets no more than half when it is quick again", async () => {
    const [slow, healthy] = [await openHost("holds"), await openHost("answers")];
    const waiting = await create(slow, 60);
    await stateWhen(slow, ({ inFlight }) => inFlight === CONCURRENCY / 10);
    await allSucceed(healthy, await create(healthy, 20));
    expect(await slow.state()).toMatchObject({ state: "closed", inFlight: CONCURRENCY / 10 });
    expect([slow.heardAt.length, slow.mostHeld()]).toEqual([2, CONCURRENCY / 10]);
    slow.mood = "answers";
    slow.release();
    await allSucceed(slow, waiting);
    // All its deliveries were quick but the first two: it has earned the room of half of the slots.
    slow.mood = "holds";
    const more = await create(slow, CONCURRENCY);
    await stateWhen(slow, ({ inFlight }) => inFlight === CONCURRENCY / 2);
    await allSucceed(healthy, await create(healthy, 20));
    expect(slow.mostHeld()).toBe(CONCURRENCY / 2);
    slow.mood = "answers";
    slow.release();
    await allSucceed(slow, more);
  });
});

describe("a delivery on its way", () => {
  test("is cut off by a cancel, with a receipt, and its log shows nothing secret", async () => {
    const host = await openHost("holds");
    const [id = 0] = await create(host, 1);
    await stateWhen(host, ({ inFlight }) => inFlight === 1);
    const answer = await host.client.post("/task/cancel", { id });
    const receipt = { killed: true, method: "http-abort", remoteMayContinue: true };
    expect(answer).toMatchObject({ code: 0, msg: "Killed", data: receipt });
    const path = `/task/${id}/attempts`;
    const headers = signedHeaders(host.client, `GET ${path}\n`);
    const shown = await (await fetch(program.url + path, { headers })).text();
    const [attempt] = (JSON.parse(shown) as { data: { attempts: Record<string, object>[] } }).data
      .attempts;
    expect(attempt).toMatchObject({ outcome: "cancelled", receipt });
    expect(attempt?.["delivery"]).toMatchObject({
      url: `http://${host.name}/`,
      address: "127.0.0.1",
      status: null,
      request_headers: {
        "task-id": String(id),
        signature: "[redacted]",
        "webhook-signature": "[redacted]",
      },
    });
    expect(shown).not.toContain("v1,");
  });
});
