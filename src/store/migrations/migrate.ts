// Brings the schema to the version this program needs, one process at a time, and judges what it finds.
import { sql } from "kysely";
import { AppError } from "../../core/errors.ts";
import type { Database, Session } from "../dialect.ts";
import { firstTables } from "./0001-first-tables.ts";
import { rotationAndRetries } from "./0002-rotation-and-retries.ts";
import { deliveryLogs } from "./0003-delivery-logs.ts";
import { checkpointTable } from "./0004-checkpoints.ts";
import { cancelMode } from "./0005-cancel-mode.ts";
import { untracedFiles } from "./0006-untraced-files.ts";
import { webhookIds } from "./0007-webhook-ids.ts";
import { toldToStop } from "./0009-told-to-stop.ts";
import { exactRequests } from "./0010-exact-requests.ts";
import {
  type AppliedMigration,
  createJournals,
  forgetStatements,
  noteBegin,
  noteProgress,
  readApplied,
} from "./journal.ts";
import type { Migration } from "./migration.ts";

/** All of this program, in their order. */
export const allMigrations: readonly Migration[] = [
  firstTables,
  rotationAndRetries,
  deliveryLogs,
  checkpointTable,
  cancelMode,
  untracedFiles,
  webhookIds,
  toldToStop,
  exactRequests,
];

/** Applies what is missing. Safe to call from many processes at once. */
export async function migrate(database: Database, migrations = allMigrations): Promise<void> {
  if (await database.read((session) => isComplete(session, migrations))) return;
  await database.exclusively(async (session) => {
    // Only under the lock is an unfinished one known to have stopped: else another process may be at it.
    const applied = await readApplied(session);
    const missing = missingOf(applied, migrations);
    await createJournals(session);
    for (const migration of missing) await apply(session, migration);
  });
}

async function isComplete(session: Session, migrations: readonly Migration[]): Promise<boolean> {
  const applied = await readApplied(session);
  // An unfinished one that this program only lives with is not its to wait for.
  const isOpen = applied.some((each) => each.finished_at === null && isKnown(each, migrations));
  return !isOpen && missingOf(applied, migrations).length === 0;
}

/** Throws `configuration` unless the schema is one that this program can live with. */
export async function checkSchema(database: Database, migrations = allMigrations): Promise<void> {
  const missing = missingOf(await database.read(readApplied), migrations);
  const [first] = missing;
  if (first === undefined) return;
  throw new AppError(
    "configuration",
    `the database has not yet migration ${first.version} '${first.name}': run \`migrate\``,
  );
}

function missingOf(
  applied: readonly AppliedMigration[],
  migrations: readonly Migration[],
): readonly Migration[] {
  for (const each of applied) judge(each, migrations);
  return migrations.filter((each) => !applied.some(({ version }) => version === each.version));
}

function isKnown({ version }: AppliedMigration, migrations: readonly Migration[]): boolean {
  return migrations.some((each) => each.version === version);
}

function judge(applied: AppliedMigration, migrations: readonly Migration[]): void {
  const known = migrations.find(({ version }) => version === applied.version);
  const newest = migrations.at(-1)?.version ?? 0;
  if (known === undefined && applied.oldest_program > newest) {
    throw new AppError(
      "configuration",
      `the database has migration ${applied.version} '${applied.name}', this program knows only up to ${newest}: update the program`,
    );
  }
  if (known !== undefined && applied.finished_at === null)
    throw new AppError("configuration", halfApplied(applied, known));
}

function halfApplied({ version, name, statements_done }: AppliedMigration, known: Migration) {
  return (
    `migration ${version} '${name}' stopped after ${statements_done} statements, unless another process is at it now; to repair it, ${known.repair}, ` +
    `then ${forgetStatements(known)} and run \`migrate\` again`
  );
}

async function apply(session: Session, migration: Migration): Promise<void> {
  await noteBegin(session, migration);
  for (const [done, statement] of migration.statements(session.dialect.kind).entries()) {
    await sql.raw(statement).execute(session.connection);
    await noteProgress(session, migration, done + 1);
  }
  await noteProgress(session, migration, "all");
}
