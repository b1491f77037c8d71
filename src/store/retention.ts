// Deletes finished tasks by age, with their attempts.
import { sql } from "kysely";
import type { TaskStatus } from "../core/task.ts";
import { batchesOf } from "./batches.ts";
import type { Session } from "./dialect.ts";
import { isInState } from "./guards.ts";
import type { PruneLimits } from "./store.ts";

/** Resolves to the number of deleted tasks. Ids are never used again. */
export async function pruneTasks(session: Session, limits: PruneLimits): Promise<number> {
  const old = await findOld(session, limits);
  const ids = old.length === 0 ? [] : await lockFinished(session, old);
  if (ids.length === 0) return 0;
  await deleteAttempts(session, ids);
  await session.connection.deleteFrom("tasks").where("id", "in", ids).execute();
  return ids.length;
}

async function deleteAttempts({ connection }: Session, taskIds: readonly number[]) {
  const attempts = await connection
    .selectFrom("attempts")
    .select("id")
    .where("task_id", "in", taskIds)
    .execute();
  for (const batch of batchesOf(attempts.map(({ id }) => id))) {
    await connection.deleteFrom("attempt_ends").where("attempt_id", "in", batch).execute();
    await connection.deleteFrom("attempt_checkpoints").where("attempt_id", "in", batch).execute();
    await connection.deleteFrom("attempts").where("id", "in", batch).execute();
  }
}

/** One range of the index per status: failed tasks are kept longer and must not be passed over each time. */
async function findOld({ connection, dialect }: Session, limits: PruneLimits): Promise<number[]> {
  const oldest = (status: TaskStatus, olderThanMs: number) => sql`
    select id, finished_at from (
      select id, finished_at from tasks ${dialect.byIndex("tasks_finished")}
      where ${isInState([status])} and finished_at < ${dialect.nowMs} - ${olderThanMs}
      order by finished_at, id limit ${limits.limit}) as ${sql.ref(`old_${status}`)}`;
  const { rows } = await sql<{ id: number }>`
    ${oldest("succeeded", limits.olderThanMs)}
    union all ${oldest("cancelled", limits.olderThanMs)}
    union all ${oldest("failed", limits.failedOlderThanMs)}
    order by finished_at, id limit ${limits.limit}`.execute(connection);
  return rows.map(({ id }) => id);
}

/** A task that is being redelivered at this moment stays. */
async function lockFinished({ connection, dialect }: Session, ids: readonly number[]) {
  const { rows } = await sql<{ id: number }>`
    select id from tasks ${dialect.byId}
    where id in (${sql.join(ids)}) and ${isInState(["succeeded", "failed", "cancelled"])}
    order by id ${dialect.skipLocked}`.execute(connection);
  return rows.map(({ id }) => id);
}
