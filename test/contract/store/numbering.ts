// Suite: ids beyond 2^53, which a number would round: refused at the start, and never answered as another row's.
import { describe, expect, test } from "bun:test";
import type { Store } from "../../../src/store/store.ts";
import { rejectionOf } from "../../support/rejection.ts";
import { withMigratedStore } from "./migrated-store.ts";
import { claimOf, openCorner, sampleApplication, sampleTask } from "./samples.ts";
import type { CreateTestDatabase, TestDatabase } from "./world.ts";

const BEYOND = "9007199254740993";
const TABLES = ["applications", "tasks", "attempts"] as const;

export function numberingSuite(createDatabase: CreateTestDatabase): void {
  describe("numbering", () => {
    let database: TestDatabase;
    let store: Store;

    withMigratedStore(createDatabase, (opened) => {
      ({ database, store } = opened);
    });

    /** The next id, as an operator or a restored copy would set it. */
    const countFrom = async (table: string, next: string) => {
      if (database.address.kind === "mysql") {
        await database.query(`ALTER TABLE ${table} AUTO_INCREMENT = ${next}`);
        return;
      }
      await database.query(`DELETE FROM sqlite_sequence WHERE name = '${table}'`);
      await database.query(`INSERT INTO sqlite_sequence VALUES ('${table}', ${next} - 1)`);
    };

    test("a start is refused while a table would count on beyond 2^53, and says how to go on", async () => {
      for (const table of TABLES) {
        await countFrom(table, BEYOND);
        for (const start of [store.migrate, store.checkSchema]) {
          const error = await rejectionOf(start());
          expect(error).toMatchObject({ code: "configuration" });
          expect(String(error)).toContain(`the next id of the table ${table} is ${BEYOND}`);
          expect(String(error)).toMatch(/ALTER TABLE \w+ AUTO_INCREMENT|UPDATE sqlite_sequence/);
        }
        await countFrom(table, "9007199254740991");
        await store.migrate();
        await countFrom(table, "1");
      }
    });

    test("no create is told an id beyond", async () => {
      const corner = await openCorner(store);
      await countFrom("tasks", BEYOND);
      expect(await rejectionOf(corner.add({}))).toBeInstanceOf(Error);
      expect(await rejectionOf(corner.add({}, {}, {}))).toBeInstanceOf(Error);
      await countFrom("applications", BEYOND);
      const application = store.applications.create(sampleApplication());
      expect(await rejectionOf(application)).toBeInstanceOf(Error);
      await database.query(`DELETE FROM tasks WHERE application_id = ${corner.applicationId}`);
      await database.query("DELETE FROM applications WHERE id > 9007199254740991");
      for (const table of TABLES) await countFrom(table, "1");
    });

    test("rows that are beyond already are errors for all who meet them, not rounded", async () => {
      const corner = await openCorner(store);
      const { applicationId, job } = corner;
      const task = sampleTask(applicationId, { job });
      await store.tasks.create([task]);
      const owner = `application_id = ${applicationId}`;
      await database.query(`UPDATE tasks SET id = ${BEYOND} WHERE ${owner}`);
      const meetings = {
        find: () => store.tasks.find({ applicationId, taskNo: task.taskNo }),
        "a repeated create": () => store.tasks.create([task]),
        claim: () => store.tasks.turn([], claimOf(job, 9)),
      };
      for (const [name, meet] of Object.entries(meetings)) {
        expect({ [name]: await meet().catch(() => "refused") }).toEqual({ [name]: "refused" });
      }
      await database.query(`DELETE FROM tasks WHERE ${owner}`);
    });
  });
}
