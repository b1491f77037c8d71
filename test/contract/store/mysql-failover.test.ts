// MySQL alone: a primary that becomes read-only, another server that takes its place, and a proxy that follows.
import { afterAll, afterEach, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { randomUUID } from "node:crypto";
import { createConnection } from "mysql2/promise";
import { createMysqlStore } from "../../../src/store/mysql/store.ts";
import type { Store } from "../../../src/store/store.ts";
import { describeWith } from "../../support/describe-with.ts";
import { eventually } from "../../support/eventually.ts";
import { TEST_LIMIT_MS } from "../../support/patience.ts";
import type { PrivateMariadb } from "../../support/private-mariadb.ts";
import { createRecordedLog } from "../../support/recorded-log.ts";
import { type Relay, startRelay } from "../../support/relay.ts";
import { acquireServices, type ServiceTypes } from "../../support/services.ts";
import { type Corner, openCorner } from "./samples.ts";

setDefaultTimeout(TEST_LIMIT_MS);
const services = await acquireServices();
const cleanUps: (() => Promise<void>)[] = [];
const POOL_SIZE = 5;
/** Without the right to write to a read-only server, which ALL ON *.* has. */
const USER = "CREATE USER 'plain'@'127.0.0.1' IDENTIFIED BY 'plain-password'";

describeWith(services, {
  title: "store/mysql, a failover",
  needs: ["startMariadb"],
  suite: ({ startMariadb }) => failoverSuite(startMariadb),
});

function failoverSuite(startMariadb: ServiceTypes["startMariadb"]): void {
  let [first, second]: PrivateMariadb[] = [];
  let relay: Relay;
  let store: Store;
  let corner: Corner;

  afterEach(async () => {
    for (const cleanUp of cleanUps.splice(0)) await cleanUp();
  });
  beforeAll(async () => {
    const start = (id: number) =>
      startMariadb([`--server-id=${id}`, "--log-bin=bin", "--log-slave-updates=ON"]);
    [first, second] = await Promise.all([start(1), start(2)]);
    await setUp(first, second);
    relay = await startRelay(first.port);
    const url = `mysql://plain:plain-password@127.0.0.1:${relay.port}/jobs`;
    store = createMysqlStore({ url, poolSize: POOL_SIZE, logger: createRecordedLog() });
    await store.migrate();
    corner = await openCorner(store);
  });
  afterAll(async () => {
    await store.close();
    await relay.close();
    await Promise.all([first?.stop(), second?.stop()]);
  });

  test("after a failover creates go on at the new primary, and all that were acknowledged are there", async () => {
    const [old, next] = [present(first), present(second)];
    const load = startLoad(corner, POOL_SIZE);
    await eventually(() => load.created.size > 100 || undefined);
    await query(old, "SET GLOBAL read_only = 1");
    await eventually(() => /read-only/.test(load.lastError()) || undefined);
    await promote(old, next);
    relay.pointTo(next.port);
    const switchedAt = performance.now();
    const before = load.created.size;
    await eventually(() => load.created.size > before + 100 || undefined);
    console.log(`100 creates after ${Math.round(performance.now() - switchedAt)} ms`);
    await load.stop();
    const rows = await query(next, "SELECT id, task_no FROM jobs.tasks");
    const there = new Map(rows.map((row) => [row["task_no"], row["id"]]));
    const lost = [...load.created].filter(([taskNo, id]) => there.get(taskNo) !== id);
    expect(lost).toEqual([]);
  });

  test("the first write after it already succeeds, and reads do not stay behind", async () => {
    const [back] = [present(first)];
    await Promise.all(Array.from({ length: 4 * POOL_SIZE }, () => store.now()));
    await query(present(second), "SET GLOBAL read_only = 1");
    await query(back, "SET GLOBAL read_only = 0");
    relay.pointTo(back.port);
    const [id] = await corner.add({ taskNo: "the first" });
    const reads = Array.from({ length: 4 * POOL_SIZE }, () => corner.read(id ?? 0));
    const found = await Promise.all(reads);
    expect(new Set(found.map(({ task }) => task.taskNo))).toEqual(new Set(["the first"]));
  });
}

/** Creates one task after the other, several at a time, until it is stopped. */
function startLoad(corner: Corner, atOnce: number) {
  const created = new Map<string, number>();
  let isStopped = false;
  let error: unknown;
  const run = async () => {
    while (!isStopped) {
      const taskNo = randomUUID();
      await corner.add({ taskNo }).then(
        ([id = 0]) => created.set(taskNo, id),
        (thrown: unknown) => {
          error = thrown;
        },
      );
    }
  };
  const running = Promise.all(Array.from({ length: atOnce }, run));
  const stop = async () => {
    isStopped = true;
    await running;
  };
  cleanUps.push(stop);
  return { created, lastError: () => String(error), stop };
}

async function setUp(primary: PrivateMariadb, replica: PrivateMariadb): Promise<void> {
  for (const statement of [
    "CREATE DATABASE jobs",
    USER,
    "GRANT ALL ON jobs.* TO 'plain'@'127.0.0.1'",
  ]) {
    await query(primary, statement);
  }
  const { username, password } = new URL(primary.url);
  await query(
    replica,
    `CHANGE MASTER TO master_host = '127.0.0.1', master_port = ${primary.port}, master_user = '${username}',
       master_password = '${password}', master_use_gtid = slave_pos`,
  );
  await query(replica, "START SLAVE");
}

/** Lets the replica take all that the primary has, and makes it a primary of its own. */
async function promote(primary: PrivateMariadb, replica: PrivateMariadb): Promise<void> {
  const [position] = await query(primary, "SELECT @@gtid_binlog_pos AS gtid");
  const [waited] = await query(
    replica,
    `SELECT MASTER_GTID_WAIT('${String(position?.["gtid"])}', 30) AS late`,
  );
  expect(waited?.["late"]).toBe(0);
  await query(replica, "STOP SLAVE");
}

async function query(server: PrivateMariadb, sql: string): Promise<Record<string, unknown>[]> {
  const connection = await createConnection({ uri: server.url });
  try {
    const [rows] = await connection.query(sql);
    return Array.isArray(rows) ? (rows as Record<string, unknown>[]) : [];
  } finally {
    connection.destroy();
  }
}

function present<T>(value: T | undefined): T {
  if (value === undefined) throw new Error("it was not started");
  return value;
}
