// Claims due tasks: chooses, locks them by id, and begins an attempt of each.
import { sql } from "kysely";
import type { ClaimedTask } from "../core/task.ts";
import { isGraced } from "./applications.ts";
import { batchesOf } from "./batches.ts";
import { type Allowance, createAllowance } from "./claim-allowance.ts";
import type { Session } from "./dialect.ts";
import { inDispatchOrder } from "./dispatch-order.ts";
import { type DueSummary, dueJobs, isClaimable, readDueSummary } from "./due.ts";
import {
  type Candidate,
  type Choice,
  chooseOldest,
  type Round,
  shareFairly,
} from "./fair-shares.ts";
import { readClaimedAttempts } from "./find-task.ts";
import { mayMoveTo } from "./guards.ts";
import { insertMany, type Value } from "./many-rows.ts";
import { CLAIM_COLUMNS, type ClaimableRow, toClaimedApplication, toClaimedTask } from "./rows.ts";
import type { ClaimRequest } from "./store.ts";

/** A consumer that finds its candidates locked by another one looks further so many times in one turn. */
const MOST_ROUNDS = 3;
/** So many stretches of applications may have nothing for it: bounds what a turn costs where there are thousands. */
const MOST_EMPTY_LOOKS = 8;

export interface Claimed {
  readonly tasks: readonly ClaimedTask[];
  readonly round: Round;
  /** What is pending after the claim. */
  readonly summary: DueSummary;
}

/** A task as it was before its claim. */
type LockedTask = ClaimableRow;

/** What is known before the claim. */
export interface Outset {
  readonly round: Round;
  /** Read just before, if it was; what it says is checked again under the lock. */
  readonly summary: DueSummary | undefined;
}

/** Claims as many due tasks as there are free slots, in the transaction of the turn. */
export async function claimDue(
  session: Session,
  claim: ClaimRequest,
  { round, summary: known }: Outset,
): Promise<Claimed> {
  const summary = known ?? (await readDueSummary(session, claim));
  const allowance = createAllowance(claim.limits);
  const wanted = claim.coroutineIds.length;
  const locked = await lockDue(session, { summary, round, wanted, allowance });
  if (locked.tasks.length === 0) return { tasks: [], round: locked.round, summary };
  await markRunning(session, claim, locked.tasks);
  await insertAttempts(session, claim, locked.tasks);
  const tasks = await withApplications(session, locked.tasks);
  return { tasks, round: locked.round, summary: await readDueSummary(session, claim) };
}

interface Demand {
  readonly summary: DueSummary;
  readonly round: Round;
  readonly wanted: number;
  readonly allowance: Allowance;
}

async function lockDue(session: Session, demand: Demand) {
  const jobs = dueJobs(demand.summary);
  const { allowance, summary } = demand;
  const { nowMs } = summary;
  const tasks: LockedTask[] = [];
  const except: number[] = [];
  let { round } = demand;
  let emptyLooks = 0;
  for (let rounds = 0; rounds < MOST_ROUNDS; ) {
    const wanted = demand.wanted - tasks.length;
    if (wanted <= 0 || jobs.length === 0) break;
    const next = await choose(session, { jobs, wanted, except, nowMs, allowance }, round);
    round = next.round;
    if (next.chosen.length === 0) {
      emptyLooks += 1;
      // Nothing in this stretch of applications: those behind it may have something.
      if (round.lookedUpTo === 0 || emptyLooks >= MOST_EMPTY_LOOKS) break;
      continue;
    }
    rounds += 1;
    const locked = await lockById(session, next.chosen);
    tasks.push(...locked);
    if (locked.length === next.chosen.length) break;
    except.push(...next.chosen.map(({ id }) => id));
  }
  return { tasks, round };
}

/** All that is due when it fits; otherwise every application gets its share. */
async function choose(session: Session, choice: Choice, round: Round) {
  const { wanted, allowance } = choice;
  // The oldest would be the backlog of the closed: each application is asked for its own instead.
  if (allowance.isUneven) return shareFairly(session, choice, { oldest: [], round });
  const oldest = await chooseOldest(session, choice, wanted + 1);
  if (oldest.length > wanted) return shareFairly(session, choice, { oldest, round });
  return { chosen: oldest.filter(({ applicationId }) => allowance.take(applicationId)), round };
}

/** By primary key, checked again under the lock; those another consumer is claiming are left out. */
async function lockById({ connection, dialect }: Session, chosen: readonly Candidate[]) {
  const { rows } = await sql<ClaimableRow>`
    select ${sql.join(CLAIM_COLUMNS.map((column) => sql.ref(column)))}
    from tasks ${dialect.byId}
    where id in ${dialect.idList(chosen.map(({ id }) => id))}
      and ${isClaimable} and run_at <= ${dialect.nowMs}
    order by id ${dialect.skipLocked}`.execute(connection);
  return rows;
}

async function markRunning(
  { connection, dialect }: Session,
  { serviceId, leaseMs }: ClaimRequest,
  tasks: readonly LockedTask[],
): Promise<void> {
  await sql`
    update tasks ${dialect.byId} set status = 'running', fence = fence + 1, attempt = attempt + 1,
      lease_until = ${dialect.nowMs} + ${leaseMs}, service_id = ${serviceId}
    where id in ${dialect.idList(tasks.map(({ id }) => id))} and ${mayMoveTo("running")}`.execute(
    connection,
  );
}

const ATTEMPT_COLUMNS = [
  ...["task_id", "life", "attempt", "fence"],
  ...["service_id", "coroutine_id", "turn_token"],
];

async function insertAttempts(
  session: Session,
  { serviceId, coroutineIds, turnToken }: ClaimRequest,
  tasks: readonly LockedTask[],
): Promise<void> {
  const rows = tasks.map(({ id, life, attempt, fence }, slot): Value[] => {
    return [
      id,
      life,
      attempt + 1,
      fence + 1,
      serviceId,
      coroutineIds[slot] ?? 0,
      turnToken ?? null,
    ];
  });
  const many = { table: "attempts", columns: ATTEMPT_COLUMNS, clock: "started_at" } as const;
  for (const batch of batchesOf(rows)) await insertMany(session, { ...many, rows: batch });
}

/** Adds what the attempts need besides; in dispatch order. */
async function withApplications(
  session: Session,
  tasks: readonly LockedTask[],
): Promise<ClaimedTask[]> {
  const claims = new Map(tasks.map(({ id, fence }) => [id, fence + 1]));
  const attempts = await readClaimedAttempts(session, claims);
  const applications = await readApplications(session, tasks);
  return tasks.toSorted(inDispatchOrder).map((task) =>
    toClaimedTask(task, {
      attempt: present(attempts.get(task.id)),
      application: present(applications.get(task.application_id)),
    }),
  );
}

async function readApplications({ connection, dialect }: Session, tasks: readonly LockedTask[]) {
  const owners = new Set(tasks.map(({ application_id }) => application_id));
  const rows = await connection
    .selectFrom("applications")
    .select(["id", "app_key", "link_url", "success_match"])
    .select(["secret_sealed", "callback_secret_sealed"])
    .select(["previous_secret_sealed", "previous_callback_secret_sealed"])
    .select(isGraced(dialect).as("is_graced"))
    .where("id", "in", [...owners])
    .execute();
  return new Map(rows.map((row) => [row.id, toClaimedApplication(row)]));
}

function present<Row>(row: Row | undefined): Row {
  if (row === undefined) throw new Error("a claimed task has an attempt and an application");
  return row;
}
