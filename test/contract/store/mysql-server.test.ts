// MySQL alone: sessions, plans, and what callers are told when the server is away, wrong or silent.
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { Kysely, MysqlDialect, sql } from "kysely";
import { createConnection } from "mysql2/promise";
import { createReadyPool } from "../../../src/store/mysql/connections.ts";
import { mysqlFailures } from "../../../src/store/mysql/failures.ts";
import { createMysqlStore } from "../../../src/store/mysql/store.ts";
import type { Store } from "../../../src/store/store.ts";
import { describeWith } from "../../support/describe-with.ts";
import { eventually } from "../../support/eventually.ts";
import { findFreePort } from "../../support/free-port.ts";
import { TEST_LIMIT_MS } from "../../support/patience.ts";
import type { PrivateMariadb } from "../../support/private-mariadb.ts";
import { createRecordedLog } from "../../support/recorded-log.ts";
import { rejectionOf } from "../../support/rejection.ts";
import { acquireServices, type MysqlService } from "../../support/services.ts";
import { withMigratedStore } from "./migrated-store.ts";
import { claimOf, openCorner, sampleTask } from "./samples.ts";
import { createMysqlTestDatabase, type TestDatabase } from "./world.ts";

setDefaultTimeout(TEST_LIMIT_MS);
const services = await acquireServices();
const logger = createRecordedLog();

describeWith(services, {
  title: "store/mysql, sessions and plans",
  needs: ["mysql"],
  suite: ({ mysql }) => sharedServerSuite(mysql),
});

describeWith(services, {
  title: "store/mysql, a server that fails",
  needs: ["startMariadb"],
  suite: ({ startMariadb }) => failingServerSuite(startMariadb),
});

function sharedServerSuite(mysql: MysqlService): void {
  let database: TestDatabase;
  let store: Store;

  withMigratedStore(
    () => createMysqlTestDatabase(mysql),
    (opened) => {
      ({ database, store } = opened);
    },
  );

  test("every connection of a pool has its session set up before its first use", async () => {
    const { url } = database.address;
    const pool = createReadyPool({ url, poolSize: 3, statementTimeoutMs: 5_000, logger });
    const kysely = new Kysely({ dialect: new MysqlDialect({ pool: pool.forKysely }) });
    const sessions = await Promise.all(
      [1, 2, 3].map(() => kysely.connection().execute(readSession)),
    );
    expect(new Set(sessions.map(({ id }) => id)).size).toBe(3);
    for (const session of sessions) {
      expect(session).toMatchObject({
        sql_mode: "STRICT_ALL_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION",
        time_zone: "+00:00",
        isolation: "READ-COMMITTED",
        character_set_client: "utf8mb4",
        character_set_connection: "utf8mb4",
        collation_connection: "utf8mb4_bin",
        autocommit: "ON",
        innodb_lock_wait_timeout: "2",
      });
    }
    await kysely.destroy();
    await pool.close();
  });

  test("a padded number is rejected also where the server checks no constraints", async () => {
    await database.query("ALTER TABLE tasks DROP CONSTRAINT check_tasks_task_no");
    const { applicationId } = await openCorner(store);
    const numbers = ["padded", " padded", "padded ", ""];
    const results = await store.tasks.create(
      numbers.map((taskNo) => sampleTask(applicationId, { taskNo })),
    );
    const kinds = results.map(({ kind }) => kind).join(" ");
    expect(kinds).toBe("created rejected rejected rejected");
  });

  test("what a claim reads does not grow with the tasks that wait for others", async () => {
    const corner = await openCorner(store);
    const later = (await store.now()) + 3_600_000;
    for (let batch = 0; batch < 10; batch++) {
      const unknown = Array.from({ length: 1_000 }, () => ({ job: "a-job-unknown-here" }));
      await corner.add(...unknown, ...unknown.map(() => ({ runAt: later })));
    }
    const other = await openCorner(store);
    await store.tasks.create(
      Array.from({ length: 50 }, () => sampleTask(other.applicationId, { job: corner.job })),
    );
    const before = await rowsRead(database);
    for (let turn = 0; turn < 20; turn++) {
      await store.tasks.turn([], claimOf(corner.job, 2, { jobs: [corner.job, "z"] }));
    }
    // 20,000 tasks are pending; each turn takes 2 of 3 that it sees.
    expect((await rowsRead(database)) - before).toBeLessThan(6_000);
  });

  test("a deadlock's victim is tried again, and both transactions are written", async () => {
    await store.putOnce("left", "0");
    await store.putOnce("right", "0");
    const rivals = database.openDatabase();
    const [first, second] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    let tries = 0;
    const add = (names: readonly [string, string], mine: () => void, theirs: Promise<void>) =>
      rivals.write(async ({ connection }) => {
        tries += 1;
        const increment = (name: string) =>
          sql`update settings set value = value + 1 where name = ${name}`.execute(connection);
        await increment(names[0]);
        mine();
        await theirs;
        await increment(names[1]);
      });
    await Promise.all([
      add(["left", "right"], first.resolve, second.promise),
      add(["right", "left"], second.resolve, first.promise),
    ]);
    await rivals.close();
    expect(tries).toBe(3);
    const rows = await database.query("SELECT value FROM settings WHERE name IN ('left', 'right')");
    expect(rows.map((row) => row["value"])).toEqual(["2", "2"]);
  });

  test("a statement that takes too long loses its connection, and the next one gets a new one", async () => {
    const { url } = database.address;
    const pool = createReadyPool({ url, poolSize: 1, statementTimeoutMs: 300, logger });
    const kysely = new Kysely({ dialect: new MysqlDialect({ pool: pool.forKysely }) });
    const sleeping = await rejectionOf(sql`select sleep(20)`.execute(kysely));
    expect(mysqlFailures.kindOf(sleeping)).toBe("away");
    const { rows } = await sql`select 1 as one`.execute(kysely);
    expect(rows).toEqual([{ one: 1 }]);
    await kysely.destroy();
    await pool.close();
  });

  test("an error of the database does not carry the statement, which holds content", async () => {
    const corner = await openCorner(store);
    const secret = "a text only this task holds";
    const [result] = await store.tasks.create([
      sampleTask(corner.applicationId, { content: `"${secret}"`, name: "n".repeat(65) }),
    ]);
    if (result?.kind !== "rejected") throw new Error("it should be rejected");
    const { cause } = result;
    expect(cause).toBeInstanceOf(Error);
    expect(JSON.stringify(cause, Object.getOwnPropertyNames(cause))).not.toContain(secret);
  });

  test("a wrong password, a wrong database and a closed port are told apart", async () => {
    const change = (apply: (url: URL) => void) => {
      const url = new URL(database.address.url);
      apply(url);
      return url.href;
    };
    const port = await findFreePort();
    const urls = {
      password: change((url) => (url.password = "wrong-password")),
      database: change((url) => (url.pathname = "/no_such_database")),
      port: change((url) => (url.port = String(port))),
    };
    const errorOf = async (url: string) => {
      const wrong = createMysqlStore({ url, poolSize: 1, logger });
      const error = await rejectionOf(wrong.migrate());
      await wrong.close();
      return error;
    };
    const password = await errorOf(urls.password);
    expect(password).toMatchObject({ code: "configuration" });
    expect(String(password)).toMatch(/access denied/i);
    expect(String(password)).not.toContain("wrong-password");
    const unknown = { code: "configuration", message: expect.stringContaining("no_such_database") };
    expect(await errorOf(urls.database)).toMatchObject(unknown);
    const closed = { code: "unavailable", message: expect.stringContaining("ECONNREFUSED") };
    expect(await errorOf(urls.port)).toMatchObject(closed);
  });

  test("a closed store refuses, and closing again is no error", async () => {
    const closing = createMysqlStore({ url: database.address.url, poolSize: 1, logger });
    await closing.ping();
    await closing.close();
    expect(await rejectionOf(closing.now())).toMatchObject({ code: "unavailable" });
    await closing.close();
  });
}

function failingServerSuite(startMariadb: () => Promise<PrivateMariadb>): void {
  let server: PrivateMariadb;
  let store: Store;

  beforeAll(async () => {
    server = await startMariadb();
    store = createMysqlStore({ url: server.url, poolSize: 2, logger });
    await store.migrate();
  });
  afterAll(async () => {
    await store.close();
    await server.stop();
  });

  test("a server that hangs is noticed by a ping, and used again when it goes on", async () => {
    await store.ping();
    server.freeze();
    const error = await rejectionOf(store.ping());
    server.thaw();
    expect(error).toMatchObject({ code: "unavailable" });
    await eventually(() => store.ping().then(() => true));
  });

  test("a start warns of settings under which an accepted task may be lost, and only then", async () => {
    const warnings = async () => {
      const log = createRecordedLog();
      const other = createMysqlStore({ url: server.url, poolSize: 1, logger: log });
      await other.checkSchema();
      await other.close();
      return log.lines.filter(({ level }) => level === "warn").map(({ fields }) => fields);
    };
    expect(await warnings()).toEqual([]);
    await setFlush(server.url, 2);
    expect(await warnings()).toEqual([{ settings: "innodb_flush_log_at_trx_commit=2" }]);
    await setFlush(server.url, 1);
  });

  test("a server that is killed is unavailable; what was acknowledged is there when it is back", async () => {
    const corner = await openCorner(store);
    const ids = await corner.add({}, {});
    await server.kill9();
    for (const attempt of [() => corner.add({}), () => corner.claim(1), () => store.ping()]) {
      expect(await rejectionOf(attempt())).toMatchObject({ code: "unavailable" });
    }
    await server.restart();
    const claimed = await eventually(() => corner.claim(9));
    expect(claimed.map(({ taskId }) => taskId)).toEqual(ids);
  });
}

/** The variables of one session; the one for isolation is called differently by MySQL and MariaDB. */
async function readSession(
  connection: Kysely<unknown>,
): Promise<Readonly<Record<string, unknown>>> {
  const named = await sql<{ Variable_name: string; Value: string }>`show session variables`.execute(
    connection,
  );
  const values = Object.fromEntries(named.rows.map((row) => [row.Variable_name, row.Value]));
  const id = await sql<{ id: number }>`select connection_id() as id`.execute(connection);
  const isolation = values["tx_isolation"] ?? values["transaction_isolation"];
  return { ...values, isolation, id: id.rows[0]?.id };
}

/** Rows the whole server has read so far, by any way. */
async function rowsRead(database: TestDatabase): Promise<number> {
  const rows = await database.query(
    "SHOW GLOBAL STATUS WHERE Variable_name LIKE 'Handler_read%' AND Variable_name <> 'Handler_read_rnd_deleted'",
  );
  return rows.reduce((sum, row) => sum + Number(row["Value"]), 0);
}

async function setFlush(url: string, value: 1 | 2): Promise<void> {
  const admin = await createConnection({ uri: url });
  await admin.query(`SET GLOBAL innodb_flush_log_at_trx_commit = ${value}`);
  await admin.end();
}
