// Suite: the schema: from nothing, again, by several processes at once, half-applied, and newer than the program.
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { checkSchema, migrate } from "../../../src/store/migrations/migrate.ts";
import type { Migration } from "../../../src/store/migrations/migration.ts";
import { rejectionOf } from "../../support/rejection.ts";
import { BUN, runScript } from "../../support/run-script.ts";
import { openCorner } from "./samples.ts";
import type { Assignment } from "./store-process.ts";
import type { CreateTestDatabase, TestDatabase } from "./world.ts";

export function migratingSuite(createDatabase: CreateTestDatabase): void {
  describe("migrating", () => {
    let database: TestDatabase;

    beforeEach(async () => {
      database = await createDatabase();
    });
    afterEach(() => database.drop());

    test("an empty database is refused until it is migrated, and migrating again changes nothing", async () => {
      const store = database.open();
      expect(await rejectionOf(store.checkSchema())).toMatchObject({
        code: "configuration",
        message: expect.stringContaining("run `migrate`"),
      });
      await store.migrate();
      await store.checkSchema();
      const before = await database.query("SELECT * FROM schema_migrations");
      await store.migrate();
      expect(await database.query("SELECT * FROM schema_migrations")).toEqual(before);
      expect(before.length).toBeGreaterThan(0);
    });

    test("a use before migrating says what to do", async () => {
      const error = await rejectionOf(database.open().applications.find("key"));
      expect(error).toMatchObject({
        code: "configuration",
        message: expect.stringContaining("run `migrate`"),
      });
    });

    test("four processes that migrate at once all succeed, and it is done once", async () => {
      const assignment: Assignment = { address: database.address, action: "migrate", tasks: 0 };
      const script = new URL("./store-process.ts", import.meta.url);
      const spec = { command: BUN, script, data: assignment };
      await Promise.all(Array.from({ length: 4 }, () => runScript(spec)));
      const versions = await versionsIn(database, "schema_migrations");
      expect(versions).toContain(1);
      expect(new Set(versions).size).toBe(versions.length);
    });

    test("a newer schema is refused by an older program, and nothing is changed", async () => {
      const store = database.open();
      await store.migrate();
      await database.query(
        "INSERT INTO schema_migrations VALUES (999, 'from-the-future', 1, 1, 1)",
      );
      for (const attempt of [store.migrate, store.checkSchema]) {
        expect(await rejectionOf(attempt())).toMatchObject({
          code: "configuration",
          message: expect.stringMatching(/999 'from-the-future'.*update the program/),
        });
      }
    });

    test("a newer schema that a program can live with is taken by it, also while it is half-applied", async () => {
      const [first, added] = [oneTable(1, "first"), { ...oneTable(7, "added"), oldestProgram: 1 }];
      const opened = database.openDatabase();
      await migrate(opened, [first, added]);
      const torn = { ...added, version: 8, statements: () => ["CREATE TABLE added (id INT)"] };
      await rejectionOf(migrate(opened, [first, added, torn]));
      for (const attempt of [migrate, checkSchema]) await attempt(opened, [first]);
      expect(await versionsIn(database, "schema_migrations")).toEqual([1]);
      expect(await versionsIn(database, "schema_changes")).toContain(7);
      await opened.close();
    });

    test("a newer schema names the oldest program that can live with it, and shuts out all before", async () => {
      const [first, second] = [
        oneTable(1, "first"),
        { ...oneTable(7, "second"), oldestProgram: 1 },
      ];
      const third = { ...oneTable(8, "third"), oldestProgram: 7 };
      const opened = database.openDatabase();
      await migrate(opened, [first, second, third]);
      await checkSchema(opened, [first, second]);
      for (const attempt of [migrate, checkSchema]) {
        expect(await rejectionOf(attempt(opened, [first]))).toMatchObject({
          code: "configuration",
          message: expect.stringMatching(/8 'third', this program knows only up to 1: update/),
        });
      }
      // Programs before `schema_changes` refuse what they do not know in this table.
      expect(await versionsIn(database, "schema_migrations")).toEqual([1, 8]);
      await opened.close();
    });

    test("a later migration that stopped half-way begins anew after its repair", async () => {
      const opened = database.openDatabase();
      const whole = oneTable(7, "first");
      const torn = { ...whole, statements: () => [...whole.statements(), "CREATE TABLE"] };
      await rejectionOf(migrate(opened, [torn]));
      const again = await migrate(opened, [whole]).catch((error: unknown) => error);
      if (database.address.kind === "sqlite") {
        expect(again).toBeUndefined();
        return opened.close();
      }
      const statements =
        /`(DELETE FROM schema_migrations .*)` and `(DELETE FROM schema_changes .*)` and run/;
      const [, ...repair] = statements.exec(String(again)) ?? [];
      expect(repair).toHaveLength(2);
      for (const statement of ["DROP TABLE first", ...repair]) await database.query(statement);
      await migrate(opened, [whole]);
      await opened.close();
    });

    test("a migration that stopped half-way is named with its repair, and goes on after it", async () => {
      const broken: Migration = {
        version: 1,
        name: "two-tables",
        statements: () => ["CREATE TABLE first (id INT)", "CREATE TABLE second (id no_such_type("],
        repair: "drop the table first",
      };
      const whole = { ...broken, statements: () => ["CREATE TABLE first (id INT)"] };
      const opened = database.openDatabase();
      await rejectionOf(migrate(opened, [broken]));
      const again = await migrate(opened, [whole]).catch((error: unknown) => error);
      if (database.address.kind === "sqlite") {
        // Nothing of it was kept: SQLite rolls back tables too.
        expect(again).toBeUndefined();
        return opened.close();
      }
      expect(again).toMatchObject({
        code: "configuration",
        message: expect.stringMatching(
          /migration 1 'two-tables' stopped after 1 statements.*drop the table first.*DELETE FROM schema_migrations WHERE version = 1/,
        ),
      });
      await database.query("DROP TABLE first");
      await database.query("DELETE FROM schema_migrations WHERE version = 1");
      await migrate(opened, [whole]);
      await opened.close();
    });

    test("a migration marked as unfinished is refused by every start", async () => {
      const store = database.open();
      await store.migrate();
      await database.query("UPDATE schema_migrations SET finished_at = NULL, statements_done = 3");
      const stopped = expect.stringMatching(/migration 1 'first-tables' stopped after 3.*DELETE/);
      const code = "configuration";
      expect(await rejectionOf(store.migrate())).toMatchObject({ code, message: stopped });
      // Without the lock nobody knows whether it has stopped: only `migrate` advises a repair.
      const open = expect.stringMatching(
        /migration 1 'first-tables' has not finished, 3 .*`migrate` says how/,
      );
      expect(await rejectionOf(store.checkSchema())).toMatchObject({ code, message: open });
    });

    test("no CHECK has the name of an index, which some servers take for the same", async () => {
      await database.open().migrate();
      const names = await constraintNames[database.address.kind](database);
      expect(names.length).toBeGreaterThan(10);
      expect(names.filter((name, place) => names.indexOf(name) !== place)).toEqual([]);
    });

    test("every column and index is commented", async () => {
      await database.open().migrate();
      expect(await uncommented[database.address.kind](database)).toEqual([]);
    });

    test("the database itself refuses tasks in states that cannot be", async () => {
      const store = database.open();
      await store.migrate();
      const corner = await openCorner(store);
      const [id] = await corner.add({});
      const impossible = [
        "status = 'running'",
        "status = 'succeeded'",
        "status = 'gone'",
        "finished_at = 1",
        "lease_until = 1",
        "cancel_requested_at = 1",
        "lane = 'callback'",
        "job = NULL",
        "charged = 1",
        "retry_total = 11",
        "task_no = 'padded '",
      ];
      for (const change of impossible) {
        const update = database.query(`UPDATE tasks SET ${change} WHERE id = ${id}`);
        expect(String(await rejectionOf(update))).toMatch(/constraint|check/i);
      }
    });
  });
}

function oneTable(version: number, name: string) {
  const statements = () => [`CREATE TABLE ${name} (id INT)`];
  return { version, name, statements, repair: `drop the table ${name}` };
}

async function versionsIn({ query }: TestDatabase, journal: string): Promise<unknown[]> {
  const rows = await query(`SELECT version FROM ${journal} ORDER BY version`);
  return rows.map((row) => row["version"]);
}

type FindNames = (database: TestDatabase) => Promise<string[]>;

/** Names of CHECKs and indexes. */
const constraintNames: Readonly<Record<"sqlite" | "mysql", FindNames>> = {
  mysql: async ({ query }) => {
    const rows = await query(
      `SELECT constraint_name AS name FROM information_schema.check_constraints
       WHERE constraint_schema = DATABASE()
       UNION ALL SELECT DISTINCT index_name AS name FROM information_schema.statistics
       WHERE table_schema = DATABASE() AND index_name <> 'PRIMARY'`,
    );
    return rows.map((row) => String(row["name"]));
  },
  sqlite: async ({ query }) => {
    const rows = await query("SELECT sql FROM sqlite_master WHERE sql <> ''");
    const named = /(?:CONSTRAINT|INDEX) (\w+)/g;
    return rows.flatMap((row) =>
      [...String(row["sql"]).matchAll(named)].map((match) => match[1] ?? ""),
    );
  },
};

type FindUncommented = (database: TestDatabase) => Promise<unknown[]>;

const uncommented: Readonly<Record<"sqlite" | "mysql", FindUncommented>> = {
  mysql: async ({ query }) => [
    ...(await query(
      `SELECT table_name, column_name FROM information_schema.columns
       WHERE table_schema = DATABASE() AND column_comment = ''`,
    )),
    ...(await query(
      `SELECT table_name, index_name FROM information_schema.statistics
       WHERE table_schema = DATABASE() AND index_name <> 'PRIMARY' AND index_comment = ''`,
    )),
    ...(await query(
      `SELECT table_name FROM information_schema.tables
       WHERE table_schema = DATABASE() AND table_comment = ''`,
    )),
  ],
  // SQLite keeps the statements with their comments: one column a line.
  sqlite: async ({ query }) => {
    const rows = await query(
      "SELECT sql FROM sqlite_master WHERE sql NOT LIKE '%sqlite_sequence%'",
    );
    const lines = rows.flatMap((row) => String(row["sql"]).split("\n"));
    const needing = lines.filter((line) =>
      /^CREATE|^ {2}\w+ (INTEGER|TEXT|BLOB)/.test(line) ? !line.includes("-- ") : false,
    );
    expect(lines.length).toBeGreaterThan(80);
    return needing;
  },
};
