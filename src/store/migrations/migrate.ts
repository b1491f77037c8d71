// Brings the schema to the version this program needs, one process at a time, and judges what it finds.
import { sql } from "kysely";
import { AppError } from "../../core/errors.ts";
import type { Database, Session } from "../dialect.ts";
import { isMissingTable } from "../failures.ts";
import { firstTables } from "./0001-first-tables.ts";
import { rotationAndRetries } from "./0002-rotation-and-retries.ts";
import { deliveryLogs } from "./0003-delivery-logs.ts";
import { checkpointTable } from "./0004-checkpoints.ts";
import { cancelMode } from "./0005-cancel-mode.ts";
import { untracedFiles } from "./0006-untraced-files.ts";
import { big, createTables, int, key, nullable, zero } from "./ddl.ts";
import type { Migration } from "./migration.ts";

const allMigrations: readonly Migration[] = [
  firstTables,
  rotationAndRetries,
  deliveryLogs,
  checkpointTable,
  cancelMode,
  untracedFiles,
];

const journal = {
  name: "schema_migrations",
  comment: "which migrations were applied; a row without finished_at stopped half-way",
  columns: [
    int("version", "number of the migration"),
    key("name", 64, "its name"),
    zero(int("statements_done", "how many of its statements were executed")),
    big("started_at", "epoch ms"),
    nullable(big("finished_at", "epoch ms; null when it stopped half-way")),
  ],
  primaryKey: ["version"],
};

interface AppliedMigration {
  readonly version: number;
  readonly name: string;
  readonly statements_done: number;
  readonly finished_at: number | null;
}

/** Applies what is missing. Safe to call from many processes at once. */
export async function migrate(database: Database, migrations = allMigrations): Promise<void> {
  if (await database.read((session) => isComplete(session, migrations))) return;
  await database.exclusively(async (session) => {
    // Only under the lock is an unfinished one known to have stopped: else another process may be at it.
    const applied = await readApplied(session);
    if (applied === undefined) await createJournal(session);
    for (const migration of missingOf(applied, migrations)) await apply(session, migration);
  });
}

async function isComplete(session: Session, migrations: readonly Migration[]): Promise<boolean> {
  const applied = (await readApplied(session)) ?? [];
  const finished = applied.filter(({ finished_at }) => finished_at !== null);
  return finished.length === applied.length && missingOf(finished, migrations).length === 0;
}

/** Throws `configuration` unless the schema is exactly what this program needs. */
export async function checkSchema(database: Database, migrations = allMigrations): Promise<void> {
  const missing = missingOf(await database.read(readApplied), migrations);
  const [first] = missing;
  if (first === undefined) return;
  throw new AppError(
    "configuration",
    `the database has not yet migration ${first.version} '${first.name}': run \`migrate\``,
  );
}

/** Undefined when no migration was ever begun. */
async function readApplied({ connection }: Session): Promise<AppliedMigration[] | undefined> {
  try {
    return await connection
      .selectFrom("schema_migrations")
      .select(["version", "name", "statements_done", "finished_at"])
      .orderBy("version")
      .execute();
  } catch (thrown) {
    if (isMissingTable(thrown)) return undefined;
    throw thrown;
  }
}

function missingOf(
  applied: readonly AppliedMigration[] | undefined,
  migrations: readonly Migration[],
): readonly Migration[] {
  const done = applied ?? [];
  for (const each of done) judge(each, migrations);
  const versions = new Set(done.map(({ version }) => version));
  return migrations.filter(({ version }) => !versions.has(version));
}

function judge(applied: AppliedMigration, migrations: readonly Migration[]): void {
  const known = migrations.find(({ version }) => version === applied.version);
  if (known === undefined) {
    const newest = migrations.at(-1)?.version ?? 0;
    throw new AppError(
      "configuration",
      `the database has migration ${applied.version} '${applied.name}', this program knows only up to ${newest}: update the program`,
    );
  }
  if (applied.finished_at === null)
    throw new AppError("configuration", halfApplied(applied, known));
}

function halfApplied({ version, name, statements_done }: AppliedMigration, { repair }: Migration) {
  return (
    `migration ${version} '${name}' stopped after ${statements_done} statements, unless another process is at it now; to repair it, ${repair}, ` +
    `then \`DELETE FROM schema_migrations WHERE version = ${version}\` and run \`migrate\` again`
  );
}

async function createJournal({ connection, dialect }: Session): Promise<void> {
  for (const statement of createTables(dialect.kind, [journal])) {
    await sql.raw(statement).execute(connection);
  }
}

// On MySQL every CREATE or ALTER commits at once: the journal says how far it came.
async function apply({ connection, dialect }: Session, migration: Migration): Promise<void> {
  const { version, name } = migration;
  await connection
    .insertInto("schema_migrations")
    .values({ version, name, statements_done: 0, started_at: dialect.nowMs, finished_at: null })
    .execute();
  const row = connection.updateTable("schema_migrations").where("version", "=", version);
  for (const [done, statement] of migration.statements(dialect.kind).entries()) {
    await sql.raw(statement).execute(connection);
    await row.set({ statements_done: done + 1 }).execute();
  }
  await row.set({ finished_at: dialect.nowMs }).execute();
}
