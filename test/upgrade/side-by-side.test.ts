// The last release and this one side by side on one schema, under load, while every process is restarted: nothing is lost.
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { rm } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { createConnection } from "mysql2/promise";
import { type ApiClient, clientOf, createClient, isEnded } from "../support/api-client.ts";
import { describeWith } from "../support/describe-with.ts";
import { openStream } from "../support/event-stream.ts";
import { type Release, THIS_RELEASE, unpackLastRelease } from "../support/last-release.ts";
import { TEST_LIMIT_MS } from "../support/patience.ts";
import type { Program } from "../support/program.ts";
import {
  ADMIN_TOKEN,
  openServersShape,
  SERVERS_NEEDS,
  type ServersNeeds,
  type ServersShape,
} from "../support/servers-shape.ts";
import { acquireServices } from "../support/services.ts";
import { type MixedLoad, startMixedLoad } from "./mixed-load.ts";

setDefaultTimeout(TEST_LIMIT_MS);
const services = await acquireServices();

describeWith(services, {
  title: "the last release and this one",
  needs: SERVERS_NEEDS,
  suite: sideBySideSuite,
});

/** What is between two restarts. */
const TASKS_BETWEEN = 25;

interface Pair {
  readonly api: Program;
  readonly executor: Program;
}

function sideBySideSuite(needs: ServersNeeds): void {
  let last: Release & { folder: string };
  let receiver: Server;

  beforeAll(async () => {
    last = await unpackLastRelease();
    receiver = createServer((_, response) => response.end("success"));
    await new Promise<void>((resolve) => receiver.listen(0, "127.0.0.1", resolve));
  });
  afterAll(async () => {
    receiver.closeAllConnections();
    receiver.close();
    await rm(last.folder, { recursive: true });
  });

  const env = { EXECUTOR_SLOTS: "4", CALLBACK_ALLOW: "127.0.0.1", SHUTDOWN_TIMEOUT_MS: "2000" };
  const open = () => openServersShape(needs, env);
  const linkUrl = () => `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/`;

  /** The second release joins the first under load, both are restarted, and the first leaves. */
  const mix = async (servers: ServersShape, [first, second]: readonly [Release, Release]) => {
    const api = await servers.start("api", first);
    const before: Pair = { api, executor: await servers.start("executor", first) };
    // A machine that is so busy that an import takes too long costs an attempt, which is no loss.
    const patience = { retryTotal: 5, step: 0, adminToken: ADMIN_TOKEN };
    const client = await createClient(api.url, { linkUrl: linkUrl(), ...patience });
    const otherApi = await servers.start("api", second);
    const other = clientOf(otherApi.url, client);
    await watchAndCancel(other, otherApi.url);
    const file = join(api.folder, "effects.log");
    const load = startMixedLoad({ apis: [client, other], file, callers: 4 });
    const after: Pair = { api: otherApi, executor: await servers.start("executor", second) };
    await restartEach(load, [before.executor, before.api, after.executor, after.api]);
    await before.executor.terminate();
    await load.more(TASKS_BETWEEN);
    await watchAndCancel(client, before.api.url);
    await before.api.terminate();
    await load.more(TASKS_BETWEEN);
    await load.stop();
    for (const id of load.acknowledged.keys()) await other.until(id, isEnded);
    return load;
  };

  test.each([
    ["the old one was there first, and the new one takes over"],
    ["the new one has migrated, and the old one comes back"],
  ])("%s: every acknowledged task ended exactly once", async (title) => {
    const servers = await open();
    try {
      const isOldFirst = title.startsWith("the old");
      const order = isOldFirst ? ([last, THIS_RELEASE] as const) : ([THIS_RELEASE, last] as const);
      const load = await mix(servers, order);
      await expectEndedOnce(servers.url, load);
    } finally {
      await servers.stop();
    }
  });
}

async function restartEach(load: MixedLoad, programs: readonly Program[]): Promise<void> {
  for (const program of programs) {
    await load.more(TASKS_BETWEEN);
    await program.restart();
  }
  await load.more(TASKS_BETWEEN);
}

/** A job on an executor of the other release: its place, its events and its end travel between the two. */
async function watchAndCancel(client: ApiClient, url: string): Promise<void> {
  const id = await client.createJob("action", { do: "watch-and-spin", value: { page: 3 } });
  await client.until(id, ({ status, source }) => status === "running" && source === "live");
  const { data } = await client.post<{ ticket: string }>(`/task/${id}/ticket`, {});
  const stream = await openStream(`${url}/task/${id}/events?ticket=${data.ticket}`);
  const progress = await stream.until(({ event }) => event === "progress");
  expect(JSON.parse(progress.data ?? "")).toMatchObject({ data: { percent: 42 } });
  expect(await client.post("/task/cancel", { id })).toMatchObject({ msg: "Killed" });
  await stream.until(({ event }) => event === "end");
  await stream.close();
  expect((await client.detail(id)).status).toBe("cancelled");
}

async function expectEndedOnce(url: string, { acknowledged }: MixedLoad): Promise<void> {
  const connection = await createConnection({ uri: url });
  const [rows] = await connection.query(
    `SELECT t.id, t.task_no, t.status, t.life, t.name, SUM(e.outcome = 'succeeded') AS successes,
       GROUP_CONCAT(CONCAT_WS(' ', a.fence, a.service_id, e.outcome, e.error) ORDER BY a.fence SEPARATOR '; ') AS attempts
     FROM tasks t LEFT JOIN attempts a ON a.task_id = t.id LEFT JOIN attempt_ends e ON e.attempt_id = a.id
     GROUP BY t.id, t.task_no, t.status, t.life, t.name`,
  );
  connection.destroy();
  const tasks = new Map((rows as Record<string, unknown>[]).map((row) => [Number(row["id"]), row]));
  const wrong = [...acknowledged].flatMap(([id, { kind, taskNo }]) => {
    const row = tasks.get(id);
    const { status, successes } = row ?? {};
    const isRight =
      row?.["task_no"] === taskNo &&
      row["life"] === 1 &&
      (kind === "cancel"
        ? status === "cancelled" && Number(successes) === 0
        : status === "succeeded" && Number(successes) === 1);
    return isRight ? [] : [{ id, kind, row }];
  });
  expect(wrong).toEqual([]);
  console.log(`${acknowledged.size} tasks were acknowledged, and each ended once`);
}
