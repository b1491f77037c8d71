// Creates while a real server answers, for a while or for good, what is no fault of the rows.
import { beforeEach, expect, setDefaultTimeout, test } from "bun:test";
import type { Store } from "../../../src/store/store.ts";
import { describeWith } from "../../support/describe-with.ts";
import { eventually } from "../../support/eventually.ts";
import { TEST_LIMIT_MS } from "../../support/patience.ts";
import { rejectionOf } from "../../support/rejection.ts";
import { acquireServices, type MysqlService } from "../../support/services.ts";
import { withMigratedStore } from "./migrated-store.ts";
import { type Corner, openCorner, sampleTask } from "./samples.ts";
import { createMysqlTestDatabase, type TestDatabase } from "./world.ts";

setDefaultTimeout(TEST_LIMIT_MS);
const services = await acquireServices();

describeWith(services, {
  title: "store/mysql, creates on a server in trouble",
  needs: ["mysql"],
  suite: ({ mysql }) => troubleSuite(mysql),
});

function troubleSuite(mysql: MysqlService): void {
  let database: TestDatabase;
  let store: Store;
  let corner: Corner;

  withMigratedStore(
    () => createMysqlTestDatabase(mysql),
    async (opened) => {
      ({ database, store } = opened);
      // A sequence is no part of the transaction: it counts the tries that were rolled back too.
      await database.query("CREATE SEQUENCE tries");
    },
  );
  beforeEach(async () => {
    corner = await openCorner(store);
    await database.query("ALTER SEQUENCE tries RESTART 1");
  });

  /** Lets the server do `what` for each row named 'in trouble'. */
  const meetTrouble = (what: string) =>
    database.query(
      `CREATE OR REPLACE TRIGGER trouble BEFORE INSERT ON tasks FOR EACH ROW
       IF NEW.name = 'in trouble' THEN ${what}; END IF`,
    );
  const signal = (errno: number) =>
    `SIGNAL SQLSTATE 'HY000' SET MYSQL_ERRNO = ${errno}, MESSAGE_TEXT = 'trouble'`;
  const create = (...names: readonly string[]) =>
    store.tasks.create(names.map((name) => sampleTask(corner.applicationId, { name })));

  test.each([9007, 8002, 8028, 3101])("what is busy (%p) is tried again", async (errno) => {
    await meetTrouble(`IF NEXTVAL(tries) <= 3 THEN ${signal(errno)}; END IF`);
    const results = await create("quiet", "in trouble", "quiet");
    expect(results.map(({ kind }) => kind)).toEqual(["created", "created", "created"]);
  });

  test.each([9001, 9005, 1180, 3100, 1792])(
    "what is away (%p) fails the whole batch as unavailable: no row is rejected",
    async (errno) => {
      await meetTrouble(signal(errno));
      const error = await rejectionOf(create("quiet", "in trouble"));
      expect(error).toMatchObject({ code: "unavailable", details: { retryAfterS: 1 } });
    },
  );

  test("what is about the row still rejects that row alone", async () => {
    await meetTrouble(signal(1644));
    const results = await create("quiet", "in trouble", "quiet");
    expect(results.map(({ kind }) => kind)).toEqual(["created", "rejected", "created"]);
  });

  test("a create whose connection is cut before its answer is tried once more", async () => {
    await meetTrouble("IF NEXTVAL(tries) = 1 THEN DO SLEEP(30); END IF");
    const creating = create("in trouble", "quiet");
    const id = await eventually(async () => (await sleeping(database))[0]);
    await database.query(`KILL CONNECTION ${id}`);
    const results = await creating;
    expect(results.map(({ kind }) => kind)).toEqual(["created", "created"]);
  });
}

async function sleeping(database: TestDatabase): Promise<readonly unknown[]> {
  const rows = await database.query(
    `SELECT id FROM information_schema.processlist
     WHERE db = DATABASE() AND state = 'User sleep'`,
  );
  return rows.map((row) => row["id"]);
}
