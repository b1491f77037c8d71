// Shares free slots between the applications that have due work, so that none can starve another.

import { type RawBuilder, sql } from "kysely";
import { batchesOf, groupsOf } from "./batches.ts";
import type { Allowance } from "./claim-allowance.ts";
import type { Session, TaskIndex } from "./dialect.ts";
import { type DispatchPlace, dispatchOrder, inDispatchOrder } from "./dispatch-order.ts";
import { isClaimable, isOfJob, type PendingJob, tableOf } from "./due.ts";

/** Most pairs of application and job looked at in one turn: bounds its cost; the next turn goes on behind them. */
const MOST_STEPS = 500;
/** Most branches of one UNION; SQLite takes 500. */
const MOST_BRANCHES = 200;

/** Where the round of the applications stands; kept between turns, one per lane. */
export interface Round {
  /** Applications up to this id were looked at and there were more; 0: the next turn begins at the first. */
  readonly lookedUpTo: number;
  /** The application that was served last: the next turn begins behind it. */
  readonly servedLast: number;
}

export const firstRound: Round = { lookedUpTo: 0, servedLast: 0 };

/** A claimable task, as far as choosing needs it. */
export interface Candidate extends DispatchPlace {
  readonly applicationId: number;
}

export interface Choice {
  /** Jobs with due tasks. */
  readonly jobs: readonly PendingJob[];
  /** At most as many are chosen. */
  readonly wanted: number;
  readonly nowMs: number;
  /** Tasks that another consumer is claiming at this moment. */
  readonly except: readonly number[];
  readonly allowance: Allowance;
}

/** A job's tasks of one application. */
interface Source {
  readonly job: string | null;
  readonly applicationId: number;
}

/** The oldest due tasks of all applications in dispatch order, at most `limit`. */
export async function chooseOldest(session: Session, choice: Choice, limit: number) {
  const jobs = choice.jobs.slice(0, MOST_BRANCHES);
  const branches = jobs.map(({ job }) =>
    dueTasks(session, {
      index: "tasks_due",
      condition: sql`${isOfJob(job)} ${butNot(choice.except)}`,
      limit,
    }),
  );
  const found = await unionOf(session, branches);
  return found.toSorted(inDispatchOrder).slice(0, limit);
}

/**
 * One task of each application in turn, the oldest first inside one, beginning behind the application that was
 * served last; slots that are left then are filled from `oldest`.
 */
export async function shareFairly(
  session: Session,
  choice: Choice,
  { oldest, round }: { oldest: readonly Candidate[]; round: Round },
): Promise<{ readonly chosen: readonly Candidate[]; readonly round: Round }> {
  const { sources, lookedUpTo } = await findSources(session, choice, round.lookedUpTo);
  const applications = groupsOf(sources, ({ applicationId }) => String(applicationId));
  if (oldest.length > 0 && isAlone(applications, oldest)) {
    const chosen = allowed(oldest, choice.wanted, choice.allowance);
    return { chosen, round: { ...round, lookedUpTo } };
  }
  const rotated = rotate(applications, round.servedLast);
  const inTurn = probesInTurn(rotated, choice.allowance).slice(0, choice.wanted);
  const shares = await readShares(session, choice, inTurn);
  const shared = allowed(interleave(shares), choice.wanted, choice.allowance);
  const servedLast = shared.at(-1)?.applicationId ?? round.servedLast;
  return { chosen: fillUp(shared, oldest, choice), round: { lookedUpTo, servedLast } };
}

/** True when all that was found belongs to one application: nobody to share with. */
function isAlone(applications: readonly Source[][], oldest: readonly Candidate[]): boolean {
  const owners = new Set(oldest.map(({ applicationId }) => applicationId));
  for (const { applicationId } of applications.flat()) owners.add(applicationId);
  return owners.size < 2;
}

function fillUp(
  shared: readonly Candidate[],
  oldest: readonly Candidate[],
  { wanted, allowance }: Choice,
): readonly Candidate[] {
  const ids = new Set(shared.map(({ id }) => id));
  const others = oldest.filter(({ id }) => !ids.has(id));
  return [...shared, ...allowed(others, wanted - shared.length, allowance)];
}

/** The first `wanted` of them whose applications may still have more. */
function allowed(candidates: readonly Candidate[], wanted: number, allowance: Allowance) {
  const taken: Candidate[] = [];
  for (const candidate of candidates) {
    if (taken.length >= wanted) break;
    if (allowance.take(candidate.applicationId)) taken.push(candidate);
  }
  return taken;
}

/** Applications in the order of their ids, beginning behind `servedLast`. */
function rotate(applications: readonly Source[][], servedLast: number): Source[][] {
  const idOf = (sources: readonly Source[]) => sources[0]?.applicationId ?? 0;
  const sorted = applications.toSorted((a, b) => idOf(a) - idOf(b));
  const start = sorted.findIndex((sources) => idOf(sources) > servedLast);
  return start <= 0 ? sorted : [...sorted.slice(start), ...sorted.slice(0, start)];
}

/**
 * Applications that wait for the one probe of a host take it in an order of their own, in the places that they have:
 * the round of all applications begins behind the one that was served last, which may be the same every time.
 */
function probesInTurn(applications: readonly Source[][], { probeTurn }: Allowance): Source[][] {
  const turnOf = ([source]: readonly Source[]) => source && probeTurn(source.applicationId);
  const probing = applications
    .filter((sources) => typeof turnOf(sources) === "number")
    .toSorted((a, b) => Number(turnOf(a)) - Number(turnOf(b)));
  if (probing.length < 2) return [...applications];
  const next = probing.values();
  return applications.map((sources) =>
    typeof turnOf(sources) === "number" ? (next.next().value ?? sources) : sources,
  );
}

/** For each application its oldest due tasks: twice its share, so that one with few leaves its slots to others. */
async function readShares(session: Session, choice: Choice, inTurn: readonly Source[][]) {
  const limit = 2 * Math.ceil(choice.wanted / Math.max(1, inTurn.length));
  const branches = inTurn.flat().map(({ job, applicationId }) => {
    const ofBoth = sql`${isOfJob(job)} and tasks.application_id = ${applicationId}`;
    const condition = sql`${ofBoth} ${butNot(choice.except)}`;
    return dueTasks(session, { index: "tasks_due_by_application", condition, limit });
  });
  const found = await unionOf(session, branches);
  const byApplication = groupsOf(found, ({ applicationId }) => String(applicationId));
  const order = new Map(inTurn.map((sources, place) => [sources[0]?.applicationId, place]));
  const place = (share: readonly Candidate[]) => order.get(share[0]?.applicationId) ?? 0;
  return byApplication
    .map((share) => share.toSorted(inDispatchOrder))
    .sort((a, b) => place(a) - place(b));
}

/** One task of each application in turn. */
function interleave(shares: readonly (readonly Candidate[])[]): Candidate[] {
  const longest = Math.max(0, ...shares.map((share) => share.length));
  return Array.from({ length: longest }, (_, at) =>
    shares.flatMap((share) => share.slice(at, at + 1)),
  ).flat();
}

/**
 * Applications with due tasks behind `after`: one step down an index per application and job. All applications of a
 * stretch are asked, because MariaDB cannot jump from one application with pending tasks to the next.
 */
async function findSources(
  { connection, dialect }: Session,
  { jobs, except, nowMs, allowance }: Choice,
  after: number,
) {
  const some = jobs.slice(0, MOST_BRANCHES);
  const stretch = Math.max(1, Math.floor(MOST_STEPS / some.length));
  const isCallback = some[0]?.job === null;
  const ofJob = isCallback ? isOfJob(null) : sql`tasks.job = known.name`;
  const { rows } = await sql<{ name: string; applicationId: number; firstAt: number | null }>`
    select known.name as name, asked.id as applicationId,
      (select run_at from tasks ${dialect.byIndex("tasks_due_by_application")}
       where ${isClaimable} and ${ofJob} and tasks.application_id = asked.id ${butNot(except)}
       order by run_at limit 1) as firstAt
    from (select id from applications where id > ${after} order by id limit ${stretch}) as asked
    cross join (${tableOf(some.map(({ job }) => job))}) as known`.execute(connection);
  const sources = rows
    .filter(({ firstAt }) => firstAt !== null && firstAt <= nowMs)
    .filter(({ applicationId }) => !allowance.isClosed(applicationId))
    .map(({ name, applicationId }): Source => ({ job: isCallback ? null : name, applicationId }));
  const last = Math.max(0, ...rows.map(({ applicationId }) => applicationId));
  const isWhole = rows.length < stretch * some.length;
  return { sources, lookedUpTo: isWhole ? 0 : last };
}

function butNot(ids: readonly number[]): RawBuilder<unknown> {
  return ids.length === 0 ? sql`` : sql`and tasks.id not in (${sql.join(ids)})`;
}

interface Due {
  readonly index: TaskIndex;
  readonly condition: RawBuilder<unknown>;
  readonly limit: number;
}

function dueTasks({ dialect }: Session, { index, condition, limit }: Due): RawBuilder<Candidate> {
  return sql<Candidate>`
    select id, application_id, run_at from tasks ${dialect.byIndex(index)}
    where ${isClaimable} and run_at <= ${dialect.nowMs} and ${condition}
    order by ${dispatchOrder} limit ${limit}`;
}

async function unionOf({ connection }: Session, branches: readonly RawBuilder<Candidate>[]) {
  const found: Candidate[] = [];
  for (const some of batchesOf(branches, () => 0, MOST_BRANCHES)) {
    const selects = some.map(
      (branch) => sql`select id, application_id as applicationId, run_at
        from (${branch}) as due`,
    );
    const { rows } = await sql<Candidate>`${sql.join(selects, sql` union all `)}`.execute(
      connection,
    );
    found.push(...rows);
  }
  return found;
}
