// What an older database holds after the program that opens it was updated.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { linearRetry } from "../../src/core/retry-policy.ts";
import { firstTables } from "../../src/store/migrations/0001-first-tables.ts";
import { allMigrations, migrate } from "../../src/store/migrations/migrate.ts";
import { mysqlDdl } from "../../src/store/mysql/ddl.ts";
import { createSqliteDatabase } from "../../src/store/sqlite/database.ts";
import { sqliteDdl } from "../../src/store/sqlite/ddl.ts";
import { createSqliteStore } from "../../src/store/sqlite/store.ts";
import type { Store } from "../../src/store/store.ts";
import { LAST_RELEASE } from "../support/last-release.ts";

const OLD_ROWS = `
  INSERT INTO applications (app_key, name, secret_sealed, link_url, retry_step_s, retry_total, remark, created_at)
    VALUES ('old', 'name', 'sealed', 'http://127.0.0.1/', 10, 2, '', 1);
  INSERT INTO tasks (application_id, task_no, name, lane, content, digest, timeout_ms, status, run_at, retry_step_s,
      retry_total, created_at)
    VALUES (1, 'no-1', 'name', 'callback', '{}', '00', 1000, 'pending', 1, 7, 3, 1);
  INSERT INTO job_definitions (name, aliases, retry_step_s, retry_total, isolation, source_hash, service_id,
      published_at)
    VALUES ('with', '[]', 5, 1, 'warm', '00', 's', 1), ('without', '[]', NULL, NULL, 'warm', '00', 's', 1);`;

describe("a database of the first version", () => {
  let folder: string;
  let store: Store;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "serendipity-migrations-"));
    const path = join(folder, "old.sqlite");
    const old = createSqliteDatabase({ path });
    await migrate(old, [firstTables]);
    await old.close();
    const file = new DatabaseSync(path);
    file.exec(OLD_ROWS);
    file.close();
    store = createSqliteStore({ path });
    await store.migrate();
  });
  afterAll(async () => {
    await store.close();
    await rm(folder, { recursive: true });
  });

  test("keeps its applications: same retries, a body to say success, no callback secret yet", async () => {
    expect(await store.applications.find("old")).toMatchObject({
      retry: linearRetry(10, 2),
      successMatch: "body",
      callbackSecretSealed: null,
      previous: null,
    });
  });

  test("keeps its tasks and jobs with their retries", async () => {
    const found = await store.tasks.find({ applicationId: 1, id: 1 });
    expect(found?.task.retry).toEqual(linearRetry(7, 3));
    expect((await store.catalogue.find("with"))?.retry).toEqual(linearRetry(5, 1));
    expect((await store.catalogue.find("without"))?.retry).toBeNull();
  });

  test("gives an application callback secrets with its first rotation", async () => {
    const rotation = { appKey: "old", secretSealed: "new", callbackSecretSealed: "cb" };
    await store.applications.rotate({ ...rotation, graceMs: 60_000 });
    expect(await store.applications.find("old")).toMatchObject({
      callbackSecretSealed: "cb",
      previous: { secretSealed: "sealed", callbackSecretSealed: null },
    });
  });
});

// One clause each: a new table, or columns that a program may leave out of its INSERTs.
const ADDITION =
  /^(CREATE (TABLE|INDEX) |ALTER TABLE \w+\s+(ADD COLUMN .+ ((?<!NOT )NULL( DEFAULT \S+)?|NOT NULL DEFAULT \S+) (COMMENT '([^']|'')*'|\/\* .* \*\/)(,\s+|$))+$)/;

describe("a migration that older programs can live with", () => {
  test("is every one since the last release", () => {
    const since = allMigrations.filter(({ version }) => version > LAST_RELEASE.lastMigration);
    const harsh = since.filter(
      (each) => (each.oldestProgram ?? each.version) > LAST_RELEASE.lastMigration,
    );
    expect(harsh.map(({ name }) => name)).toEqual([]);
  });

  test("only adds", () => {
    const gentle = allMigrations.filter((each) => each.oldestProgram !== undefined);
    const statements = gentle.flatMap((each) => [
      ...each.statements(mysqlDdl),
      ...each.statements(sqliteDdl),
    ]);
    expect(statements.filter((statement) => !ADDITION.test(statement))).toEqual([]);
  });

  test.each([
    "ALTER TABLE tasks ADD COLUMN a BIGINT NOT NULL COMMENT 'no default'",
    "ALTER TABLE tasks\n  ADD COLUMN a BIGINT NULL COMMENT 'x',\n  DROP COLUMN b",
    "ALTER TABLE tasks MODIFY COLUMN a BIGINT NULL COMMENT 'x'",
    "CREATE UNIQUE INDEX a ON tasks (a)",
    "DROP TABLE tasks",
    "UPDATE tasks SET a = 1",
  ])("does not %s", (statement) => {
    expect(statement).not.toMatch(ADDITION);
  });

  test.each([
    "ALTER TABLE tasks\n  ADD COLUMN a VARCHAR(8) NULL COMMENT 'it''s',\n  ADD COLUMN b INT NOT NULL DEFAULT 0 COMMENT 'y'",
    "ALTER TABLE tasks ADD COLUMN a INTEGER NULL /* words */",
    "CREATE TABLE a (id INT)",
  ])("may %s", (statement) => {
    expect(statement).toMatch(ADDITION);
  });
});
