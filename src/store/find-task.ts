// Finds a task of an application with its newest attempt.
import { sql } from "kysely";
import type { Outcome } from "../core/attempt.ts";
import type { Attempt } from "./attempt-store.ts";
import { batchesOf } from "./batches.ts";
import type { Session } from "./dialect.ts";
import { type AttemptWithEnd, toAttempt, toTask } from "./rows.ts";
import type { TaskDetail, TaskReference, WaitingTask } from "./store.ts";
import type { TaskRow } from "./tables.ts";

/** With `lock` nobody else changes the task until the transaction ends. */
export async function findTask(
  session: Session,
  reference: TaskReference,
  lock = sql``,
): Promise<TaskDetail | undefined> {
  const { connection, dialect } = session;
  const { rows } = await sql<TaskRow & { readonly nowMs: number }>`
    select tasks.*, ${dialect.nowMs} as nowMs from tasks
    where application_id = ${reference.applicationId} and ${isReferred(reference)}
    ${lock}`.execute(connection);
  const [row] = rows;
  if (row === undefined) return undefined;
  const [latest] = await readAttempts(session, row.id, 1);
  return { task: toTask(row), latest: latest ?? null, nowMs: row.nowMs };
}

function isReferred(reference: TaskReference) {
  if (reference.id !== undefined) return sql`id = ${reference.id}`;
  return sql`task_no = ${reference.taskNo}`;
}

/** Pending tasks of these jobs, the first due first. */
export function readWaiting(
  { connection }: Session,
  jobs: readonly string[],
  limit: number,
): Promise<WaitingTask[]> {
  return connection
    .selectFrom("tasks")
    .select(["id", "task_no as taskNo", "content"])
    .where("status", "=", "pending")
    .where("job", "in", [...jobs])
    .orderBy("run_at")
    .limit(limit)
    .execute();
}

/** The newest attempts of a task, newest first. */
export async function readAttempts(
  { connection }: Session,
  taskId: number,
  limit: number,
): Promise<Attempt[]> {
  const rows: AttemptWithEnd[] = await connection
    .selectFrom("attempts")
    .leftJoin("attempt_ends", "attempt_ends.attempt_id", "attempts.id")
    .selectAll("attempts")
    .select(["outcome", "charged", "finished_at", "result", "error", "receipt", "delivery"])
    .where("attempts.task_id", "=", taskId)
    .orderBy("attempts.fence", "desc")
    .limit(limit)
    .execute();
  return rows.map(toAttempt);
}

/** How attempts ended, by their ids. */
export async function readOutcomes(
  { connection }: Session,
  attemptIds: readonly number[],
): Promise<Map<number, Outcome>> {
  const found = new Map<number, Outcome>();
  for (const batch of batchesOf(attemptIds)) {
    const rows = await connection
      .selectFrom("attempt_ends")
      .select(["attempt_id", "outcome"])
      .where("attempt_id", "in", batch)
      .execute();
    for (const { attempt_id, outcome } of rows) found.set(attempt_id, outcome);
  }
  return found;
}

export interface ClaimedAttempt {
  readonly id: number;
  readonly coroutine_id: number;
  readonly started_at: number;
  readonly turn_token: string | null;
}

/**
 * The attempts that were claimed with these fences, by task. Not a join: planners start it from the wrong table as
 * soon as their statistics are old.
 */
export async function readClaimedAttempts(
  { connection, dialect }: Session,
  claims: ReadonlyMap<number, number>,
): Promise<ReadonlyMap<number, ClaimedAttempt>> {
  const found = new Map<number, ClaimedAttempt>();
  for (const taskIds of batchesOf([...claims.keys()])) {
    const { rows } = await sql<ClaimedAttempt & { task_id: number; fence: number }>`
      select id, task_id, fence, coroutine_id, started_at, turn_token from attempts
      where task_id in ${dialect.idList(taskIds)}`.execute(connection);
    for (const row of rows) {
      if (claims.get(row.task_id) === row.fence) found.set(row.task_id, row);
    }
  }
  return found;
}
