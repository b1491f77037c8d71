// Two applications with the same receiver: what one of them is to blame for never holds up the other.
import { expect, setDefaultTimeout } from "bun:test";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { HostView } from "../../src/core/views/hosts.ts";
import { type ApiClient, createClient } from "../support/api-client.ts";
import { eventually } from "../support/eventually.ts";
import { afterAll, beforeAll, test } from "../support/long.ts";
import { TEST_LIMIT_MS } from "../support/patience.ts";
import { type Program, startProgram } from "../support/program.ts";

setDefaultTimeout(TEST_LIMIT_MS);

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

const succeeds: Answer = (_, response) => response.end("success");
const breaks: Answer = (_, response) => response.writeHead(500).end("broken");
const resets: Answer = (request) => request.socket.resetAndDestroy();

/** A real receiver on a port of its own, with what it does per path and how often each was asked. */
type Receiver = {
  readonly name: string;
  readonly answers: Map<string, Answer>;
  heard(path: string): number;
  application(path: string): Promise<ApiClient>;
};

let program: Program;
const servers: Server[] = [];

beforeAll(async () => {
  program = await startProgram({ env: { CALLBACK_CONCURRENCY: "20" } });
});
afterAll(async () => {
  await program.stop();
  for (const server of servers) {
    server.closeAllConnections();
    server.close();
  }
});

async function openReceiver(): Promise<Receiver> {
  const answers = new Map<string, Answer>();
  const heard = new Map<string, number>();
  const server = createServer((request, response) => {
    const path = request.url ?? "";
    heard.set(path, (heard.get(path) ?? 0) + 1);
    (answers.get(path) ?? succeeds)(request, response);
  });
  servers.push(server.listen(0, "127.0.0.1"));
  await once(server, "listening");
  const name = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    name,
    answers,
    heard: (path) => heard.get(path) ?? 0,
    application: (path) => createClient(program.url, { linkUrl: `http://${name}${path}` }),
  };
}

/** Creates tasks that are due again at once when they fail. */
async function create(
  client: ApiClient,
  count: number,
  { timeout = 20_000, max = 100 } = {},
): Promise<void> {
  const retry = { strategy: "fixed", step: 0, max };
  const tasks = Array.from({ length: count }, () =>
    client.post("/task/create", {
      taskNo: randomUUID(),
      name: "x",
      content: {},
      timeout,
      retry,
    }),
  );
  expect((await Promise.all(tasks)).map(({ code }) => code)).toEqual(tasks.map(() => 0));
}

async function hostOf({ name }: Receiver): Promise<HostView | undefined> {
  const answer = await fetch(`${program.url}/api/v1/hosts`);
  const { hosts } = (await answer.json()) as { hosts: HostView[] };
  return hosts.find(({ host }) => host === name);
}

function stateOf(host: HostView | undefined, { appKey }: ApiClient): string | undefined {
  return host?.applications.find((application) => application.appKey === appKey)?.state;
}

function until(isIt: () => boolean | Promise<boolean>): Promise<true> {
  return eventually(async () => ((await isIt()) ? true : undefined));
}

test("an application whose callbacks are answered 500 holds up no other one of its host", async () => {
  const [shared, elsewhere] = [await openReceiver(), await openReceiver()];
  shared.answers.set("/a", breaks);
  const [a, b] = [await shared.application("/a"), await shared.application("/b")];
  const c = await elsewhere.application("/c");
  await create(b, 1);
  await until(() => shared.heard("/b") === 1);
  await create(a, 80);
  await until(() => shared.heard("/a") >= 5);
  await create(b, 45);
  await until(async () => {
    // C is served all the time, so that the round of applications always begins with A again.
    await create(c, 1);
    return shared.heard("/b") === 46;
  });

  // A's own breaker is open meanwhile: it was tried a few times, however many of its tasks are due.
  const host = await hostOf(shared);
  expect(host?.state).toBe("closed");
  expect(["open", "half-open"]).toContain(stateOf(host, a) ?? "");
  expect(stateOf(host, b)).toBe("closed");
});

test("applications whose receivers never answer hold up no other one of their host with their probes", async () => {
  const shared = await openReceiver();
  for (const path of ["/a", "/b"]) shared.answers.set(path, () => undefined);
  const [a, b] = [await shared.application("/a"), await shared.application("/b")];
  const c = await shared.application("/c");
  await create(c, 1);
  await until(() => shared.heard("/c") === 1);
  const once = { timeout: 1_200, max: 0 };
  await Promise.all([create(a, 3, once), create(b, 3, once)]);
  await until(async () => ["open", "half-open"].includes((await hostOf(shared))?.state ?? ""));
  // Their probes last for ten minutes.
  const long = { timeout: 600_000, max: 0 };
  await Promise.all([create(a, 3, long), create(b, 3, long)]);
  await until(async () => (await hostOf(shared))?.inFlight === 2);
  await create(c, 5);
  await until(() => shared.heard("/c") === 6);
});

test("a host that is down for all of them is shut out once, and each of them may try it", async () => {
  const [shared, elsewhere] = [await openReceiver(), await openReceiver()];
  for (const path of ["/a", "/b"]) shared.answers.set(path, resets);
  const [a, b] = [await shared.application("/a"), await shared.application("/b")];
  const c = await elsewhere.application("/c");
  await create(a, 80);
  await create(b, 5);
  const open = await eventually(async () => {
    const host = await hostOf(shared);
    return host?.state === "open" ? host : undefined;
  });
  expect(open.applications).toHaveLength(2);
  expect(open.nextTry).not.toBeNull();
  await create(c, 45);
  await until(() => elsewhere.heard("/c") === 45);

  // It is back for B alone. A, whose tasks are older and more, keeps failing: B gets a probe all the same.
  shared.answers.delete("/b");
  const before = shared.heard("/b");
  await until(async () => {
    await create(c, 1);
    return shared.heard("/b") >= before + 5;
  });
  expect((await hostOf(shared))?.state).toBe("closed");
  shared.answers.delete("/a");
  await until(async () => stateOf(await hostOf(shared), a) === "closed");
});
