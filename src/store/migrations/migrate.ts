// Brings the schema to the version this program needs, one process at a time, and judges what it finds.
import { setTimeout as delay } from "node:timers/promises";
import { sql } from "kysely";
import { AppError } from "../../core/errors.ts";
import type { Database, Session } from "../dialect.ts";
import { failureKind } from "../failures.ts";
import { firstTables } from "./0001-first-tables.ts";
import { rotationAndRetries } from "./0002-rotation-and-retries.ts";
import { deliveryLogs } from "./0003-delivery-logs.ts";
import { checkpointTable } from "./0004-checkpoints.ts";
import { cancelMode } from "./0005-cancel-mode.ts";
import { untracedFiles } from "./0006-untraced-files.ts";
import { webhookIds } from "./0007-webhook-ids.ts";
import { turnTokens } from "./0008-turn-token.ts";
import { toldToStop } from "./0009-told-to-stop.ts";
import { exactRequests } from "./0010-exact-requests.ts";
import { executorSigns } from "./0011-executor-signs.ts";
import { applicationUse } from "./0012-application-use.ts";
import { redactedKeys } from "./0015-redacted-keys.ts";
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
  turnTokens,
  toldToStop,
  exactRequests,
  executorSigns,
  applicationUse,
  redactedKeys,
];

/** How long a migration must have made no progress before it counts as stopped where the lock proves nothing. */
const STILL_MS = 60_000;
const LOOK_EVERY_MS = 500;

/** Applies what is missing. Safe to call from many processes at once. */
export async function migrate(
  database: Database,
  migrations = allMigrations,
  stillMs = STILL_MS,
): Promise<void> {
  if (await database.read((session) => isComplete(session, migrations))) return;
  await database.exclusively((session) => applyMissing(session, migrations, stillMs));
}

async function applyMissing(
  session: Session,
  migrations: readonly Migration[],
  stillMs: number,
): Promise<void> {
  let open: OpenMigration | undefined;
  for (;;) {
    const applied = await readApplied(session);
    const missing = missingOf(applied, migrations);
    open = stillOpen(openOf(applied, migrations), open);
    if (open !== undefined) refuseStopped(open, session, stillMs);
    const step = open === undefined ? await beginNext(session, missing) : "others";
    if (step === "done") return;
    if (step === "others") await delay(LOOK_EVERY_MS);
  }
}

/** A migration that has begun and not finished. */
interface OpenMigration {
  readonly applied: AppliedMigration;
  readonly known: Migration;
  /** Since when it is seen with as many statements done, on this process's monotonic clock. */
  readonly sinceMs: number;
}

function openOf(
  applied: readonly AppliedMigration[],
  migrations: readonly Migration[],
): OpenMigration | undefined {
  for (const each of applied) {
    const known = migrations.find(({ version }) => version === each.version);
    // One that this program only lives with is not its to wait for.
    if (each.finished_at !== null || known === undefined) continue;
    return { applied: each, known, sinceMs: performance.now() };
  }
  return undefined;
}

function stillOpen(now: OpenMigration | undefined, before: OpenMigration | undefined) {
  const isSame =
    now?.applied.version === before?.applied.version &&
    now?.applied.statements_done === before?.applied.statements_done;
  return isSame ? before : now;
}

/** Only where the lock shuts out everybody is an unfinished one known to have stopped at first sight. */
function refuseStopped(
  { applied, known, sinceMs }: OpenMigration,
  { dialect }: Session,
  stillMs: number,
): void {
  if (dialect.lockReaches === "node" && performance.now() - sinceMs < stillMs) return;
  throw new AppError("configuration", halfApplied(applied, known));
}

/** Applies the next one; `others`: over several nodes another process may be at it, in spite of the lock. */
async function beginNext(
  session: Session,
  [next]: readonly Migration[],
): Promise<"done" | "begun" | "others"> {
  if (next === undefined) return "done";
  try {
    await createJournals(session);
    await noteBegin(session, next);
  } catch (thrown) {
    if (session.dialect.lockReaches === "node" && isTaken(thrown, session)) return "others";
    throw thrown;
  }
  await apply(session, next);
  return "begun";
}

/** Another's row is told as a duplicate key or, when both commit at once, as a deadlock. */
function isTaken(thrown: unknown, { dialect }: Session): boolean {
  const kind = failureKind(thrown, dialect);
  return dialect.failures.isExistingTable(thrown) || kind === "duplicate" || kind === "busy";
}

async function isComplete(session: Session, migrations: readonly Migration[]): Promise<boolean> {
  const applied = await readApplied(session);
  const isOpen = openOf(applied, migrations) !== undefined;
  return missingOf(applied, migrations).length === 0 && !isOpen;
}

/** Throws `configuration` unless the schema is one that this program can live with. */
export async function checkSchema(database: Database, migrations = allMigrations): Promise<void> {
  const applied = await database.read(readApplied);
  const [first] = missingOf(applied, migrations);
  const open = openOf(applied, migrations);
  if (open !== undefined) throw new AppError("configuration", unfinished(open.applied));
  if (first === undefined) return;
  throw new AppError(
    "configuration",
    `the database has not yet migration ${first.version} '${first.name}': run \`migrate\``,
  );
}

function unfinished({ version, name, statements_done }: AppliedMigration): string {
  return (
    `migration ${version} '${name}' has not finished, ${statements_done} statements are done: ` +
    "wait for the process that is at it; if there is none, `migrate` says how to repair it"
  );
}

function missingOf(
  applied: readonly AppliedMigration[],
  migrations: readonly Migration[],
): readonly Migration[] {
  for (const each of applied) judge(each, migrations);
  return migrations.filter((each) => !applied.some(({ version }) => version === each.version));
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
}

function halfApplied({ version, name, statements_done }: AppliedMigration, known: Migration) {
  return (
    `migration ${version} '${name}' stopped after ${statements_done} statements, unless another process is at it now; to repair it, ${known.repair}, ` +
    `then ${forgetStatements(known)} and run \`migrate\` again`
  );
}

async function apply(session: Session, migration: Migration): Promise<void> {
  for (const [done, statement] of migration.statements(session.dialect.ddl).entries()) {
    await sql.raw(statement).execute(session.connection);
    await noteProgress(session, migration, done + 1);
  }
  await noteProgress(session, migration, "all");
}
