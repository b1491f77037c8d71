// Keeps which migrations were applied, in two tables, because the first programs refuse every row they do not know.
import { sql } from "kysely";
import type { Dialect, Session } from "../dialect.ts";
import { big, int, key, nullableColumn, type Table, zero } from "./ddl.ts";
import type { Migration } from "./migration.ts";

/** The newest migration of those programs. It and all before are in `schema_migrations`, the later in `schema_changes`. */
const LAST_IN_FIRST_JOURNAL = 6;

export interface AppliedMigration {
  readonly version: number;
  readonly name: string;
  /** What the oldest program that can live with it must know. */
  readonly oldest_program: number;
  readonly statements_done: number;
  readonly finished_at: number | null;
}

const version = int("version", "number of the migration");
const name = key("name", 64, "its name");
const progress = [
  zero(int("statements_done", "how many of its statements were executed")),
  big("started_at", "epoch ms"),
  nullableColumn(big("finished_at", "epoch ms; null when it stopped half-way")),
];

const firstJournal: Table = {
  name: "schema_migrations",
  comment: "which migrations were applied; a row without finished_at stopped half-way",
  columns: [version, name, ...progress],
  primaryKey: ["version"],
};

const laterJournal: Table = {
  name: "schema_changes",
  comment: "the same for migrations from 7 on, which older programs may be able to live with",
  columns: [
    version,
    name,
    int("oldest_program", "programs that know the migrations up to this one can live with it"),
    ...progress,
  ],
  primaryKey: ["version"],
};

/** Empty when no migration was ever begun. */
export async function readApplied(session: Session): Promise<AppliedMigration[]> {
  const later = (await readLater(session)) ?? [];
  const first = (await readFirst(session)) ?? [];
  const told = new Set(later.map((row) => row.version));
  const only = first.filter((row) => !told.has(row.version));
  return [...only.map((row) => ({ ...row, oldest_program: row.version })), ...later];
}

/** Creates those of the two tables that are missing. */
export async function createJournals(session: Session): Promise<void> {
  if ((await readFirst(session)) === undefined) await create(session, firstJournal);
  if ((await readLater(session)) === undefined) await create(session, laterJournal);
}

/** Notes that a migration begins. */
export async function noteBegin({ connection, dialect }: Session, migration: Migration) {
  const row = {
    version: migration.version,
    name: migration.name,
    statements_done: 0,
    started_at: dialect.nowMs,
    finished_at: null,
  };
  if (isInLater(migration)) {
    const oldest_program = migration.oldestProgram ?? migration.version;
    await connection
      .insertInto("schema_changes")
      .values({ ...row, oldest_program })
      .execute();
  }
  // The first programs read this table alone: here, never finished, it shuts them out.
  if (isInFirst(migration)) await connection.insertInto("schema_migrations").values(row).execute();
}

/** Notes how far it came: on MySQL every CREATE or ALTER commits at once. */
export async function noteProgress(
  { connection, dialect }: Session,
  migration: Migration,
  statementsDone: number | "all",
): Promise<void> {
  const journal = isInLater(migration) ? "schema_changes" : "schema_migrations";
  const change =
    statementsDone === "all" ? { finished_at: dialect.nowMs } : { statements_done: statementsDone };
  await connection
    .updateTable(journal)
    .set(change)
    .where("version", "=", migration.version)
    .execute();
}

/** The statements that let it begin anew after a repair by hand. */
export function forgetStatements(migration: Migration): string {
  const tables = [
    ...(isInFirst(migration) ? [firstJournal.name] : []),
    ...(isInLater(migration) ? [laterJournal.name] : []),
  ];
  return tables
    .map((table) => `\`DELETE FROM ${table} WHERE version = ${migration.version}\``)
    .join(" and ");
}

function isInLater(migration: Migration): boolean {
  return migration.version > LAST_IN_FIRST_JOURNAL;
}

function isInFirst({ version: own, oldestProgram = own }: Migration): boolean {
  return oldestProgram > LAST_IN_FIRST_JOURNAL || own <= LAST_IN_FIRST_JOURNAL;
}

async function create({ connection, dialect }: Session, journal: Table): Promise<void> {
  for (const statement of dialect.ddl.createTable(journal)) {
    await sql.raw(statement).execute(connection);
  }
}

function readFirst({ connection, dialect }: Session) {
  return orMissing(
    dialect,
    connection
      .selectFrom("schema_migrations")
      .select(["version", "name", "statements_done", "finished_at"])
      .orderBy("version")
      .execute(),
  );
}

function readLater({ connection, dialect }: Session) {
  return orMissing(
    dialect,
    connection
      .selectFrom("schema_changes")
      .select(["version", "name", "oldest_program", "statements_done", "finished_at"])
      .orderBy("version")
      .execute(),
  );
}

async function orMissing<Row>(
  { failures }: Dialect,
  reading: Promise<Row[]>,
): Promise<Row[] | undefined> {
  try {
    return await reading;
  } catch (thrown) {
    if (failures.isMissingTable(thrown)) return undefined;
    throw thrown;
  }
}
