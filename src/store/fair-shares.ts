// Shares free slots between the applications that have due work, so that none can starve another.
import { type RawBuilder, sql } from "kysely";
import { batchesOf, groupsOf } from "./batches.ts";
import type { Session } from "./dialect.ts";
import { isClaimable, isOfJob, type PendingJob } from "./due.ts";
import { mayMoveTo } from "./guards.ts";

/** Most applications looked at per job in one turn: bounds its cost; the next turn goes on behind them. */
const MOST_APPLICATIONS = 64;
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
export interface Candidate {
  readonly id: number;
  readonly applicationId: number;
  readonly runAt: number;
}

export interface Choice {
  /** Jobs with due tasks. */
  readonly jobs: readonly PendingJob[];
  /** At most as many are chosen. */
  readonly wanted: number;
  /** Tasks that another consumer is claiming at this moment. */
  readonly except: readonly number[];
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
    dueTasks(session, sql`${isOfJob(job)} ${butNot(choice.except)}`, limit),
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
  const inTurn = rotate(applications, round.servedLast).slice(0, choice.wanted);
  const hands = await readHands(session, choice, inTurn);
  const dealt = deal(hands, choice.wanted);
  const servedLast = dealt.at(-1)?.applicationId ?? round.servedLast;
  return { chosen: fillUp(dealt, oldest, choice.wanted), round: { lookedUpTo, servedLast } };
}

function fillUp(dealt: readonly Candidate[], oldest: readonly Candidate[], wanted: number) {
  const ids = new Set(dealt.map(({ id }) => id));
  return [...dealt, ...oldest.filter(({ id }) => !ids.has(id))].slice(0, wanted);
}

/** Applications in the order of their ids, beginning behind `servedLast`. */
function rotate(applications: readonly Source[][], servedLast: number): Source[][] {
  const idOf = (sources: readonly Source[]) => sources[0]?.applicationId ?? 0;
  const sorted = applications.toSorted((a, b) => idOf(a) - idOf(b));
  const start = sorted.findIndex((sources) => idOf(sources) > servedLast);
  return start <= 0 ? sorted : [...sorted.slice(start), ...sorted.slice(0, start)];
}

/** For each application its oldest due tasks: twice its share, so that one with few leaves its slots to others. */
async function readHands(session: Session, choice: Choice, inTurn: readonly Source[][]) {
  const limit = 2 * Math.ceil(choice.wanted / Math.max(1, inTurn.length));
  const branches = inTurn.flat().map(({ job, applicationId }) => {
    const condition = sql`${isOfJob(job)} and tasks.application_id = ${applicationId}`;
    return dueTasks(session, sql`${condition} ${butNot(choice.except)}`, limit);
  });
  const found = await unionOf(session, branches);
  const byApplication = groupsOf(found, ({ applicationId }) => String(applicationId));
  const order = new Map(inTurn.map((sources, place) => [sources[0]?.applicationId, place]));
  const place = (hand: readonly Candidate[]) => order.get(hand[0]?.applicationId) ?? 0;
  return byApplication
    .map((hand) => hand.toSorted(inDispatchOrder))
    .sort((a, b) => place(a) - place(b));
}

/** One card from each hand in turn. */
function deal(hands: readonly (readonly Candidate[])[], wanted: number): Candidate[] {
  const dealt: Candidate[] = [];
  const longest = Math.max(0, ...hands.map((hand) => hand.length));
  for (let card = 0; card < longest && dealt.length < wanted; card++) {
    dealt.push(...hands.flatMap((hand) => hand.slice(card, card + 1)));
  }
  return dealt.slice(0, wanted);
}

/** Applications with due tasks behind `after`, found by stepping down an index: one step per job and application. */
async function findSources(session: Session, { jobs, except }: Choice, after: number) {
  const seeds = jobs.slice(0, MOST_BRANCHES).map(({ job }) => sql`select ${job ?? ""} as job`);
  const isCallback = jobs[0]?.job === null;
  const jobIs = (column: RawBuilder<unknown>) =>
    isCallback ? isOfJob(null) : sql`tasks.job = ${column}`;
  const nextApplication = (job: RawBuilder<unknown>, behind: RawBuilder<unknown>) => sql`
    (select tasks.application_id from tasks
     where ${mayMoveTo("running")} and ${jobIs(job)} and tasks.application_id > ${behind}
     order by tasks.application_id limit 1)`;
  const { rows } = await sql<{ job: string; applicationId: number; depth: number; isDue: number }>`
    with recursive found(job, application_id, depth) as (
      select seeds.job, ${nextApplication(sql`seeds.job`, sql`${after}`)}, 1
      from (${sql.join(seeds, sql` union all `)}) as seeds
      union all
      select found.job, ${nextApplication(sql`found.job`, sql`found.application_id`)}, found.depth + 1
      from found where found.application_id is not null and found.depth < ${MOST_APPLICATIONS})
    select found.job as job, found.application_id as applicationId, found.depth as depth,
      exists (select 1 from tasks
        where ${isClaimable} and ${jobIs(sql`found.job`)}
          and tasks.application_id = found.application_id
          and tasks.run_at <= ${session.dialect.nowMs} ${butNot(except)}) as isDue
    from found where found.application_id is not null`.execute(session.connection);
  const unfinished = rows.filter(({ depth }) => depth === MOST_APPLICATIONS);
  const sources = rows
    .filter(({ isDue }) => isDue === 1)
    .map(({ job, applicationId }): Source => ({ job: isCallback ? null : job, applicationId }));
  const ends = unfinished.map(({ applicationId }) => applicationId);
  return { sources, lookedUpTo: ends.length === 0 ? 0 : Math.min(...ends) };
}

function butNot(ids: readonly number[]): RawBuilder<unknown> {
  return ids.length === 0 ? sql`` : sql`and tasks.id not in (${sql.join(ids)})`;
}

function dueTasks(
  { dialect }: Session,
  condition: RawBuilder<unknown>,
  limit: number,
): RawBuilder<Candidate> {
  return sql<Candidate>`
    select id, application_id, run_at from tasks
    where ${isClaimable} and run_at <= ${dialect.nowMs} and ${condition}
    order by run_at, id limit ${limit}`;
}

async function unionOf({ connection }: Session, branches: readonly RawBuilder<Candidate>[]) {
  const found: Candidate[] = [];
  for (const some of batchesOf(branches, () => 0, MOST_BRANCHES)) {
    const selects = some.map(
      (branch) => sql`select id, application_id as applicationId, run_at as runAt
        from (${branch}) as due`,
    );
    const { rows } = await sql<Candidate>`${sql.join(selects, sql` union all `)}`.execute(
      connection,
    );
    found.push(...rows);
  }
  return found;
}

function inDispatchOrder(a: Candidate, b: Candidate): number {
  return a.runAt - b.runAt || a.id - b.id;
}
