// Ids on MySQL and MariaDB: each is that of its own row, however the server counts, and none is a rounded number.
import { afterAll, beforeEach, expect, setDefaultTimeout, test } from "bun:test";
import { sql } from "kysely";
import { createTasks } from "../../../src/store/create-tasks.ts";
import type { Database } from "../../../src/store/dialect.ts";
import { createReadyPool } from "../../../src/store/mysql/connections.ts";
import { type Statement, waysToInsert } from "../../../src/store/mysql/insert.ts";
import type { Store } from "../../../src/store/store.ts";
import { describeWith } from "../../support/describe-with.ts";
import { TEST_LIMIT_MS } from "../../support/patience.ts";
import { createRecordedLog } from "../../support/recorded-log.ts";
import { acquireServices, type MysqlService } from "../../support/services.ts";
import { withMigratedStore } from "./migrated-store.ts";
import { type Corner, idOf, openCorner, present, sampleTask } from "./samples.ts";
import { createMysqlTestDatabase, type TestDatabase } from "./world.ts";

setDefaultTimeout(TEST_LIMIT_MS);
/** auto_increment_increment and auto_increment_offset as members of a cluster come and go. */
const PHASES = [
  [1, 1],
  [3, 2],
  [2, 1],
  [7, 5],
  [1, 1],
] as const;

const POOL = { poolSize: 1, statementTimeoutMs: 5_000, logger: createRecordedLog() };

const services = await acquireServices();

describeWith(services, {
  title: "store/mysql, ids",
  needs: ["mysql"],
  suite: ({ mysql }) => idsSuite(mysql),
});

function idsSuite(mysql: MysqlService): void {
  let database: TestDatabase;
  let opened: Database;
  let store: Store;
  let corner: Corner;

  withMigratedStore(
    () => createMysqlTestDatabase(mysql),
    (migrated) => {
      ({ database, store } = migrated);
      opened = database.openDatabase();
    },
  );
  beforeEach(async () => {
    corner = await openCorner(store);
  });
  afterAll(async () => {
    await opened.close();
  });

  const create = (...numbers: readonly string[]) =>
    createTasks(
      opened,
      numbers.map((taskNo) => sampleTask(corner.applicationId, { taskNo })),
    );

  /** Ids as the table has them. */
  const idsInTable = async () => {
    const rows = await database.query(
      `SELECT id, task_no FROM tasks WHERE application_id = ${corner.applicationId}`,
    );
    return new Map(rows.map((row) => [String(row["task_no"]), Number(row["id"])]));
  };

  /** As a cluster does to open connections when a member joins or leaves. */
  const countBy = (step: number, offset: number) =>
    Promise.all(
      [1, 2, 3, 4].map(() =>
        opened.read(async ({ connection }) => {
          const set = sql`set session auto_increment_increment = ${sql.lit(step)},
            auto_increment_offset = ${sql.lit(offset)}`;
          // Held a little, so that the four take four connections.
          await connection.connection().execute(async (own) => {
            await set.execute(own);
            await sql`select sleep(0.2)`.execute(own);
          });
        }),
      ),
    );

  test("every answered id belongs to its number while the server changes how it counts", async () => {
    const answered = new Map<string, number>();
    for (const [phase, [step, offset]] of PHASES.entries()) {
      await countBy(step, offset);
      for (let round = 0; round < 8; round++) {
        const numbers = Array.from({ length: 20 }, (_, i) => `${phase}-${round}-${i}`);
        const results = await create(...numbers);
        for (const [i, result] of results.entries())
          answered.set(present(numbers[i]), idOf(result));
      }
    }
    const stored = await idsInTable();
    const wrong = [...answered].filter(([number, id]) => stored.get(number) !== id);
    expect({ asked: answered.size, wrong: wrong.length }).toEqual({ asked: 800, wrong: 0 });
  });

  test.each(["returned", "read_back", "counted"] as const)(
    "ids are those of their rows in any order of the keys when they are %s",
    async (way) => {
      const numbers = ["m", "B", "é", "a", "😀", "Z"].map((name) => `${way} ${name}`);
      const insertion = {
        table: "tasks",
        keyColumns: ["application_id", "task_no"],
        keys: numbers.map((taskNo) => [corner.applicationId, taskNo]),
      } as const;
      const pool = createReadyPool({ url: database.address.url, ...POOL });
      const ids = await pool.use((connection) =>
        waysToInsert[way](connection, insertOf(insertion.keys), insertion),
      );
      await pool.close();
      const stored = await idsInTable();
      expect(ids).toEqual(numbers.map((number) => present(stored.get(number))));
    },
  );
}

function insertOf(keys: readonly (readonly (string | number)[])[]): Statement {
  const places = keys.map(() => "(?, ?, 'n', 'callback', '{}', '', 1, 'pending', 1, 1, 1, 1)");
  return {
    sql: `insert into tasks (application_id, task_no, name, lane, content, digest, timeout_ms, status, run_at,
      retry_step_s, retry_total, created_at) values ${places.join(", ")}`,
    values: keys.flat(),
  };
}
