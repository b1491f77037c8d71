// Changes asked for by signed requests: cancel and redeliver, each using its nonce up in the same transaction.
import { sql } from "kysely";
import { isTerminal, statesAfter } from "../core/task.ts";
import type { Database, Session } from "./dialect.ts";
import { findTask } from "./find-task.ts";
import { mayMoveTo } from "./guards.ts";
import { takeNonce } from "./nonces.ts";
import type {
  CancelResult,
  NewLife,
  RedeliverResult,
  SignedChange,
  TaskDetail,
  TaskStore,
} from "./store.ts";

type Changes = Pick<TaskStore, "cancel" | "redeliver" | "useNonce" | "pruneNonces">;
type NotDone = { readonly kind: "unknown" } | { readonly kind: "replayed" };

export function createChanges(database: Database): Changes {
  return {
    cancel: (change, graceMs = 0) =>
      database.write((session) =>
        changeOnce(session, change, (inside, detail) => cancel(inside, detail, graceMs)),
      ),
    redeliver: (change, life = {}) =>
      database.write((session) =>
        changeOnce(session, change, (inside, detail) => redeliver(inside, detail, life)),
      ),
    useNonce: (applicationId, nonce) =>
      database.write((session) => takeNonce(session, applicationId, nonce)),
    pruneNonces: (olderThanMs) =>
      database.write(async ({ connection, dialect }) => {
        const { numDeletedRows } = await connection
          .deleteFrom("used_nonces")
          .where("used_at", "<", sql<number>`${dialect.nowMs} - ${olderThanMs}`)
          .executeTakeFirst();
        return Number(numDeletedRows);
      }),
  };
}

type Effect<Result> = (session: Session, detail: TaskDetail) => Promise<Result>;

/** Uses the nonce up, whatever comes of the rest; then changes the task under a lock. */
async function changeOnce<Result>(
  session: Session,
  change: SignedChange,
  effect: Effect<Result>,
): Promise<Result | NotDone> {
  const { reference, nonce } = change;
  const isNew = nonce === undefined || (await takeNonce(session, reference.applicationId, nonce));
  if (!isNew) return { kind: "replayed" };
  const detail = await findTask(session, reference, session.dialect.forUpdate);
  if (detail === undefined || !isMeant(change, detail)) return { kind: "unknown" };
  return effect(session, detail);
}

/** A request that names an attempt means the one that runs now, and no other. */
function isMeant({ coroutineId, serviceId }: SignedChange, { task, latest }: TaskDetail): boolean {
  if (coroutineId === undefined && serviceId === undefined) return true;
  if (task.status !== "running" || latest === null) return false;
  const isSameExecutor = serviceId === undefined || latest.serviceId === serviceId;
  return isSameExecutor && (coroutineId === undefined || latest.coroutineId === coroutineId);
}

async function cancel(
  session: Session,
  detail: TaskDetail,
  graceMs: number,
): Promise<CancelResult> {
  const { connection, dialect } = session;
  const { id, status } = detail.task;
  if (isTerminal(status)) return { kind: "finished", status };
  // The first request counts: it is when the caller began to wait.
  const requestedAt = sql`cancel_requested_at = coalesce(cancel_requested_at, ${dialect.nowMs})`;
  if (status === "running") {
    // MySQL assigns from left to right: the grace is decided before the time of the request is set.
    const grace = sql`cancel_grace_ms = case when cancel_requested_at is not null and cancel_grace_ms < ${graceMs}
      then cancel_grace_ms else ${graceMs} end`;
    await sql`update tasks set ${grace}, ${requestedAt} where id = ${id} and ${mayMoveTo("cancelled", "running")}`.execute(
      connection,
    );
    return { kind: "requested", task: detail };
  }
  await sql`
    update tasks set status = 'cancelled', finished_at = ${dialect.nowMs}, ${requestedAt}
    where id = ${id} and ${mayMoveTo("cancelled", "pending")}`.execute(connection);
  return { kind: "cancelled" };
}

async function redeliver(
  session: Session,
  { task, nowMs }: TaskDetail,
  { webhookTag, isForced = false }: NewLife,
): Promise<RedeliverResult> {
  const { id, lane, status, runAt } = task;
  if (status === "pending") return { kind: "pending", lane, dueInMs: Math.max(0, runAt - nowMs) };
  if (!statesAfter(status, isForced).includes("pending") || status === "running") {
    return { kind: "refused", status };
  }
  await sql`
    update tasks set status = 'pending', life = life + 1, attempt = 0, charged = 0, deaths = 0, interruptions = 0,
      cancel_requested_at = null, cancel_grace_ms = null, finished_at = null, run_at = ${session.dialect.nowMs},
      webhook_tag = case when webhook_tag is null then null else coalesce(${webhookTag ?? null}, webhook_tag) end
    where id = ${id} and ${mayMoveTo("pending", status, isForced)}`.execute(session.connection);
  return { kind: "redelivered", lane };
}
