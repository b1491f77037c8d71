// Creates while the database is locked or frozen: refused in time, harmless to repeat, and no hindrance afterwards.
import { expect, setDefaultTimeout } from "bun:test";
import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { type Connection, createConnection } from "mysql2/promise";
import { type ApiClient, createClient, signedHeaders } from "../support/api-client.ts";
import { describeWith } from "../support/describe-with.ts";
import { afterEach, describe, test } from "../support/long.ts";
import { TEST_LIMIT_MS } from "../support/patience.ts";
import type { PrivateMariadb } from "../support/private-mariadb.ts";
import { startProgram } from "../support/program.ts";
import { acquireServices, type ServiceTypes } from "../support/services.ts";

setDefaultTimeout(TEST_LIMIT_MS);
const services = await acquireServices();
const cleanUps: (() => Promise<unknown>)[] = [];
const DEADLINE_MS = 500;
/** Far more than the deadline, on a busy machine too, and less than the patience of the database's driver. */
const LONG_AFTER_MS = 8_000;

const TOMORROW_S = Math.floor(Date.now() / 1_000) + 86_400;

interface World {
  readonly url: string;
  readonly client: ApiClient;
}

afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

describe("creates on SQLite", () => {
  test("are refused in time while another process holds the file, and repeated without harm", async () => {
    const world = await openWorld({});
    const file = new DatabaseSync(join(world.folder, "data", "serendipity.db"), { timeout: 5_000 });
    cleanUps.push(async () => file.close());
    file.exec("BEGIN IMMEDIATE");
    const taskNos = await refusedOnes(world);
    file.exec("ROLLBACK");
    await repeat(world, taskNos);
    expect(count(file.prepare("SELECT task_no FROM tasks").all())).toEqual(onceEach(taskNos));
  });
});

describeWith(services, {
  title: "creates on MySQL",
  needs: ["startMariadb"],
  suite: ({ startMariadb }) => frozenSuite(startMariadb),
});

function frozenSuite(startMariadb: ServiceTypes["startMariadb"]): void {
  const open = async () => {
    const server = await startMariadb();
    cleanUps.push(server.stop);
    const secret = "a secret key of at least 32 characters";
    const world = await openWorld({ DATABASE_URL: server.url, SECRET_KEY: secret });
    return { server, world };
  };

  test("are refused in time while a table is locked, and repeated without harm", async () => {
    const { server, world } = await open();
    const session = await connect(server);
    await session.query("LOCK TABLES tasks WRITE");
    const taskNos = await refusedOnes(world);
    await session.query("UNLOCK TABLES");
    await repeat(world, taskNos);
    expect(await stored(session)).toEqual(onceEach(taskNos));
  });

  test("are refused in time while the server is frozen, and repeated without harm", async () => {
    const { server, world } = await open();
    const session = await connect(server);
    server.freeze();
    const taskNos = await refusedOnes(world);
    server.thaw();
    await repeat(world, taskNos);
    expect(await stored(session)).toEqual(onceEach(taskNos));
  });
}

async function openWorld(env: Readonly<Record<string, string>>) {
  const deadline = { CREATE_DEADLINE_MS: String(DEADLINE_MS) };
  const program = await startProgram({ env: { ...env, ...deadline } });
  cleanUps.push(program.stop);
  return { url: program.url, folder: program.folder, client: await createClient(program.url) };
}

/** More creates than a pool has connections, one after the other batch; all are refused long before a statement would be. */
async function refusedOnes(world: World): Promise<string[]> {
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(new Error("a create hung")), LONG_AFTER_MS);
  const taskNos = Array.from({ length: 15 }, () => randomUUID());
  const answers = await Promise.all(taskNos.map((taskNo) => create(world, taskNo, late.signal)));
  clearTimeout(timer);
  for (const { status, retryAfter, text } of answers) {
    expect({ status, text }).toMatchObject({ status: 503 });
    expect(Number(retryAfter)).toBeGreaterThan(0);
  }
  expect(answers.map(({ text }) => text).join()).toContain("the same taskNo");
  return taskNos;
}

/** Each is stored now; nothing that was refused stands in the way. */
async function repeat(world: World, taskNos: readonly string[]): Promise<void> {
  for (const taskNo of taskNos) {
    const { status, text } = await create(world, taskNo);
    expect({ status, text }).toMatchObject({
      status: 200,
      text: expect.stringContaining("taskId"),
    });
  }
}

async function create({ url, client }: World, taskNo: string, signal?: AbortSignal) {
  const text = JSON.stringify({
    taskNo,
    name: "n",
    content: {},
    timeout: 1_000,
    runtime: TOMORROW_S,
  });
  const headers = signedHeaders(client, `POST /task/create\n${text}`);
  const answer = await fetch(`${url}/task/create`, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: text,
    ...(signal === undefined ? {} : { signal }),
  });
  const { status } = answer;
  return { status, retryAfter: answer.headers.get("retry-after"), text: await answer.text() };
}

async function connect(server: PrivateMariadb): Promise<Connection> {
  const session = await createConnection({ uri: server.url });
  cleanUps.push(async () => session.destroy());
  return session;
}

async function stored(session: Connection): Promise<Record<string, number>> {
  const [rows] = await session.query("SELECT task_no FROM tasks");
  return count(rows as Record<string, unknown>[]);
}

function count(rows: readonly Record<string, unknown>[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const row of rows)
    counts[String(row["task_no"])] = (counts[String(row["task_no"])] ?? 0) + 1;
  return counts;
}

function onceEach(taskNos: readonly string[]): Record<string, number> {
  return Object.fromEntries(taskNos.map((taskNo) => [taskNo, 1]));
}
