// Claims due tasks: chooses, locks them by id, and begins an attempt of each.
import { sql } from "kysely";
import type { ClaimedTask } from "../core/task.ts";
import type { Session } from "./dialect.ts";
import { type Board, dueJobs, isClaimable, readBoard } from "./due.ts";
import {
  type Candidate,
  type Choice,
  chooseOldest,
  type Round,
  shareFairly,
} from "./fair-shares.ts";
import { mayMoveTo } from "./guards.ts";
import { toClaimedTask } from "./rows.ts";
import type { ClaimRequest } from "./store.ts";

/** A consumer that finds its candidates locked by another one looks further so many times in one turn. */
const MOST_ROUNDS = 3;

export interface Claimed {
  readonly tasks: readonly ClaimedTask[];
  readonly round: Round;
  /** What is pending after the claim. */
  readonly board: Board;
}

interface LockedTask {
  readonly id: number;
  readonly life: number;
  readonly attempt: number;
  readonly fence: number;
}

/** Claims as many due tasks as there are free slots, in the transaction of the turn. */
export async function claimDue(
  session: Session,
  claim: ClaimRequest,
  round: Round,
): Promise<Claimed> {
  const board = await readBoard(session, claim);
  const locked = await lockDue(session, { board, round, wanted: claim.coroutineIds.length });
  if (locked.tasks.length === 0) return { tasks: [], round, board };
  await markRunning(session, claim, locked.tasks);
  await insertAttempts(session, claim, locked.tasks);
  const tasks = await readClaimed(session, locked.tasks);
  return { tasks, round: locked.round, board: await readBoard(session, claim) };
}

interface Demand {
  readonly board: Board;
  readonly round: Round;
  readonly wanted: number;
}

async function lockDue(session: Session, demand: Demand) {
  const jobs = dueJobs(demand.board);
  const tasks: LockedTask[] = [];
  const except: number[] = [];
  let { round } = demand;
  for (let attempt = 0; attempt < MOST_ROUNDS; attempt++) {
    const wanted = demand.wanted - tasks.length;
    if (wanted <= 0 || jobs.length === 0) break;
    const next = await choose(session, { jobs, wanted, except }, round);
    if (next.chosen.length === 0) break;
    round = next.round;
    const locked = await lockById(session, next.chosen);
    tasks.push(...locked);
    if (locked.length === next.chosen.length) break;
    except.push(...next.chosen.map(({ id }) => id));
  }
  return { tasks, round };
}

/** All that is due when it fits; otherwise every application gets its share. */
async function choose(session: Session, choice: Choice, round: Round) {
  const oldest = await chooseOldest(session, choice, choice.wanted + 1);
  if (oldest.length <= choice.wanted) return { chosen: oldest, round };
  return shareFairly(session, choice, { oldest, round });
}

/** By primary key, checked again under the lock; those another consumer is claiming are left out. */
async function lockById({ connection, dialect }: Session, chosen: readonly Candidate[]) {
  const { rows } = await sql<LockedTask>`
    select id, life, attempt, fence from tasks
    where id in (${sql.join(chosen.map(({ id }) => id))})
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
    update tasks set status = 'running', fence = fence + 1, attempt = attempt + 1,
      lease_until = ${dialect.nowMs} + ${leaseMs}, service_id = ${serviceId}
    where id in (${sql.join(tasks.map(({ id }) => id))}) and ${mayMoveTo("running")}`.execute(
    connection,
  );
}

async function insertAttempts(
  { connection, dialect }: Session,
  { serviceId, coroutineIds }: ClaimRequest,
  tasks: readonly LockedTask[],
): Promise<void> {
  const rows = tasks.map(({ id, life, attempt, fence }, slot) => ({
    task_id: id,
    life,
    attempt: attempt + 1,
    fence: fence + 1,
    service_id: serviceId,
    coroutine_id: coroutineIds[slot] ?? 0,
    started_at: dialect.nowMs,
  }));
  await connection.insertInto("attempts").values(rows).execute();
}

/** Reads the claimed tasks with all an attempt needs, in dispatch order. */
async function readClaimed({ connection }: Session, tasks: readonly LockedTask[]) {
  const rows = await connection
    .selectFrom("tasks")
    .innerJoin("attempts", (join) =>
      join.onRef("attempts.task_id", "=", "tasks.id").onRef("attempts.fence", "=", "tasks.fence"),
    )
    .innerJoin("applications", "applications.id", "tasks.application_id")
    .where(
      "tasks.id",
      "in",
      tasks.map(({ id }) => id),
    )
    .select([
      "tasks.id",
      "tasks.run_at",
      "tasks.fence",
      "tasks.task_no",
      "tasks.name",
      "tasks.lane",
      "tasks.job",
      "tasks.content",
      "tasks.timeout_ms",
      "tasks.attempt",
      "tasks.charged",
      "tasks.deaths",
      "tasks.retry_step_s",
      "tasks.retry_total",
      "attempts.id as attempt_id",
      "attempts.coroutine_id",
      "applications.id as application_id",
      "applications.app_key",
      "applications.link_url",
      "applications.secret_sealed",
    ])
    .execute();
  return rows.sort((a, b) => a.run_at - b.run_at || a.id - b.id).map(toClaimedTask);
}
