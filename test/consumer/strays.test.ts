// Turns whose answer is lost on its way from a real MariaDB: what they claimed comes back, what they wrote counts.
import { afterEach, beforeEach, expect, setDefaultTimeout, test } from "bun:test";
import { type Consumer, createConsumer } from "../../src/consumer/consumer.ts";
import type { Lane } from "../../src/core/task.ts";
import { createLocalQueue } from "../../src/queue/local.ts";
import { createMysqlStore } from "../../src/store/mysql/store.ts";
import type { Store } from "../../src/store/store.ts";
import { type Corner, openCorner } from "../contract/store/samples.ts";
import { createMysqlTestDatabase, type TestDatabase } from "../contract/store/world.ts";
import { type CommitRelay, startCommitRelay } from "../support/commit-relay.ts";
import { describeWith } from "../support/describe-with.ts";
import { eventually } from "../support/eventually.ts";
import { TEST_LIMIT_MS } from "../support/patience.ts";
import { createRecordedLog, type RecordedLog } from "../support/recorded-log.ts";
import { createScriptedLane, type ScriptedLane } from "../support/scripted-lane.ts";
import { acquireServices, type MysqlService } from "../support/services.ts";

setDefaultTimeout(TEST_LIMIT_MS);
const services = await acquireServices();

const SERVICE_ID = "executor-of-the-test";
const LEASE_MS = 6_000;
const DELIVERIES = 100;
const CLAIM = "insert into attempts";
const END = "insert into attempt_ends";
const LOST = "the answer to its claim was lost: it never began";

describeWith(services, {
  title: "a turn whose answer is lost",
  needs: ["mysql"],
  suite: ({ mysql }) => lostTurnsSuite(mysql),
});

function lostTurnsSuite(mysql: MysqlService): void {
  let database: TestDatabase;
  let relay: CommitRelay;
  let store: Store;
  let cut: Store;
  let corner: Corner;
  let log: RecordedLog;
  let consumers: Consumer[];

  beforeEach(async () => {
    database = await createMysqlTestDatabase(mysql);
    store = database.open();
    await store.migrate();
    const url = new URL(database.address.url);
    relay = await startCommitRelay({ host: url.hostname, port: Number(url.port || 3306) });
    url.hostname = "127.0.0.1";
    url.port = String(relay.port);
    log = createRecordedLog();
    cut = createMysqlStore({ url: url.href, poolSize: 3, logger: log });
    corner = await openCorner(store);
    consumers = [];
  });
  afterEach(async () => {
    for (const consumer of consumers) {
      await consumer.drain(0);
      await consumer.close();
    }
    await cut.close();
    await relay.close();
    await database.drop();
  });

  async function serve(lane: Lane, attempts: ScriptedLane, through = cut): Promise<void> {
    const consumer = await createConsumer({
      store: through,
      queue: createLocalQueue({ links: [] }),
      attempts: lane === "job" ? { ...attempts, jobs: [corner.job] } : attempts,
      lane,
      serviceId: SERVICE_ID,
      leaseMs: LEASE_MS,
      logger: log,
      onUnkillable: () => undefined,
      onNews: () => undefined,
    });
    consumers.push(consumer);
  }

  const attemptsOf = (id: number) => store.attempts.list(id, 9);
  const messages = () => log.lines.map(({ message }) => message);

  test(`hands its claim back uncharged, and leaves ${DELIVERIES} deliveries alone`, async () => {
    const deliveries = createScriptedLane(DELIVERIES);
    const jobs = createScriptedLane(1);
    await corner.add(...Array.from({ length: DELIVERIES }, () => ({ job: null })));
    await serve("callback", deliveries, store);
    const begun = await deliveries.begun.atLeast(DELIVERIES, TEST_LIMIT_MS);
    const lost = relay.loseAnswer(CLAIM);
    await serve("job", jobs);
    const [id = 0] = await corner.add({});
    await lost;
    const [attempt] = await jobs.begun.atLeast(1, TEST_LIMIT_MS);
    expect(attempt?.task).toMatchObject({ taskId: id, attempt: 2, charged: 0, deaths: 0 });
    expect(await attemptsOf(id)).toMatchObject([
      { outcome: "interrupted", charged: false, error: { message: LOST } },
      { outcome: null },
    ]);
    expect(begun.flatMap(({ stops }) => stops)).toEqual([]);
    const running = await store.tasks.runningOf(SERVICE_ID);
    expect(running).toHaveLength(DELIVERIES + 1);
  });

  test("hands its claim back also when its commit lands after it was looked for", async () => {
    const jobs = createScriptedLane(1);
    const looked = Promise.withResolvers<void>();
    const tasks: Store["tasks"] = {
      ...cut.tasks,
      claimedBy: async (turns) => {
        const found = await cut.tasks.claimedBy(turns);
        looked.resolve();
        return found;
      },
    };
    const holding = relay.holdCommit(CLAIM);
    await serve("job", jobs, { ...cut, tasks });
    const [id = 0] = await corner.add({});
    const { release } = await holding;
    await looked.promise;
    expect(await attemptsOf(id)).toEqual([]);
    release();
    const [attempt] = await jobs.begun.atLeast(1, TEST_LIMIT_MS);
    expect(attempt?.task).toMatchObject({ taskId: id, attempt: 2, charged: 0, deaths: 0 });
    const [first] = await attemptsOf(id);
    expect(first).toMatchObject({ outcome: "interrupted", error: { message: LOST } });
  });

  test("counts what it wrote: the repeated end is no stale one", async () => {
    const jobs = createScriptedLane(1);
    const [id = 0] = await corner.add({});
    await serve("job", jobs);
    const [attempt] = await jobs.begun.atLeast(1, TEST_LIMIT_MS);
    const lost = relay.loseAnswer(END);
    attempt?.end({ outcome: "succeeded", result: "1" });
    await lost;
    await eventually(() => messages().includes("attempt ended") || undefined, TEST_LIMIT_MS);
    expect(messages().filter((message) => message.includes("stale fence"))).toEqual([]);
    expect((await corner.read(id)).task.status).toBe("succeeded");
    expect(attempt?.stops).toEqual([]);
  });
}
