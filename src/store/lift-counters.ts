// Lets ids count on far above what a restored copy knows, so that none is given out a second time.
import { sql } from "kysely";
import { AppError } from "../core/errors.ts";
import type { LiftedCounter } from "../core/lifted-counter.ts";
import type { Session } from "./dialect.ts";
import { COUNTING_TABLES } from "./exact-numbers.ts";
import { readSetting } from "./settings.ts";

const SETTING = "lifted_counters";
/**
 * A lift of the last minutes is not repeated while nothing was created. One from long ago is: the copy may have been
 * made right after it, and what was given out since is unknown.
 */
const REPEAT_MS = 600_000;
/** Longer than executors are ever silent: they beat every third of a lease. */
const ALIVE_MS = 60_000;

interface Lift {
  /** Epoch ms. */
  readonly at: number;
  readonly margin: number;
  readonly next: Readonly<Record<string, number>>;
}

/** Under the lock of migrations. */
export async function liftCounters(
  session: Session,
  { margin, isAlone }: { readonly margin: number; readonly isAlone: boolean },
): Promise<readonly LiftedCounter[]> {
  const { connection, dialect } = session;
  const { counters } = dialect;
  if (!isAlone) await refuseWhileAlive(session);
  const { now, last } = await readLast(session);
  const lifted: LiftedCounter[] = [];
  for (const table of COUNTING_TABLES) {
    const from = Number(await counters.next(connection, table));
    const isDone = last?.next[table] === from && last.margin >= margin;
    lifted.push({ table, from, to: isDone && now - last.at < REPEAT_MS ? from : from + margin });
  }
  refuseTooFar(lifted);
  for (const { table, from, to } of lifted) {
    if (to > from) await counters.setNext(connection, table, to);
  }
  const next = Object.fromEntries(lifted.map(({ table, to }) => [table, to]));
  await note(session, { at: now, margin, next });
  return lifted;
}

/**
 * A process that runs now has attempts of the time before the copy in its memory, and gives ids out again. Executors are
 * seen in the table; the copy's own are dead, and look alive only when it is younger than a minute.
 */
async function refuseWhileAlive({ connection, dialect }: Session): Promise<void> {
  const alive = await connection
    .selectFrom("executors")
    .select("service_id")
    .where("buried_at", "is", null)
    .where("seen_at", ">", sql<number>`${dialect.nowMs} - ${ALIVE_MS}`)
    .executeTakeFirst();
  if (alive === undefined) return;
  throw new AppError(
    "refused",
    `the executor ${alive.service_id} gave a sign of life within the last minute: stop every process of the platform, wait a minute, and run this again`,
  );
}

function refuseTooFar(counters: readonly LiftedCounter[]): void {
  const far = counters.find(({ to }) => to > Number.MAX_SAFE_INTEGER);
  if (far === undefined) return;
  throw new AppError(
    "refused",
    `the next id of the table ${far.table} is ${far.from}: with this margin it would pass ${Number.MAX_SAFE_INTEGER}, choose a smaller one`,
  );
}

async function readLast(session: Session): Promise<{ now: number; last: Lift | undefined }> {
  const { rows } = await sql<{ now: number }>`select ${session.dialect.nowMs} as now`.execute(
    session.connection,
  );
  const kept = await readSetting(session, SETTING);
  const last = kept === undefined ? undefined : (JSON.parse(kept) as Lift);
  return { now: rows[0]?.now ?? 0, last };
}

async function note({ connection, dialect }: Session, lift: Lift): Promise<void> {
  const value = JSON.stringify(lift);
  await dialect.replaceRows(connection, "settings", [{ name: SETTING, value }]);
}
