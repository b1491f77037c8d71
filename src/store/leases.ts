// Leases: extending them, hearing of requested cancels, and finding attempts whose executor is gone.
import { type RawBuilder, sql } from "kysely";
import { batchesOf } from "./batches.ts";
import type { Database, Session } from "./dialect.ts";
import { type ClaimedAttempt, readClaimedAttempts } from "./find-task.ts";
import { isInState } from "./guards.ts";
import { jsonText } from "./json-text.ts";
import { type OrphanRow, toOrphan } from "./rows.ts";
import type {
  LeaseReference,
  OrphanedAttempt,
  RenewedLease,
  RequestedCancel,
  TaskStore,
} from "./store.ts";

type Leases = Pick<
  TaskStore,
  "renew" | "cancelRequests" | "expired" | "runningOf" | "claimedBy" | "release"
>;

const isRunning = isInState(["running"]);

export function createLeases(database: Database): Leases {
  return {
    renew: async (leases, leaseMs) => {
      const renewed: RenewedLease[] = [];
      for (const batch of batchesOf(leases)) {
        renewed.push(...(await database.write((session) => renewBatch(session, batch, leaseMs))));
      }
      return renewed;
    },
    cancelRequests: async (leases) => {
      const requested: RequestedCancel[] = [];
      for (const batch of batchesOf(leases)) {
        requested.push(...(await database.read((session) => readRequests(session, batch))));
      }
      return requested;
    },
    expired: (limit) =>
      database.read((session) =>
        readOrphans(
          session,
          sql`${session.dialect.byIndex("tasks_leased")}
            where ${isRunning} and lease_until <= ${session.dialect.nowMs}
            order by lease_until limit ${limit}`,
        ),
      ),
    // A held task is not claimed, so its fence is still that of the attempt which holds it.
    release: ({ taskId, attemptId, fence }, proof) =>
      database.write(async ({ connection }) => {
        if (proof !== undefined) {
          await connection
            .updateTable("attempt_ends")
            .set({ receipt: jsonText(proof) })
            .where("attempt_id", "=", attemptId)
            .execute();
        }
        await connection
          .updateTable("tasks")
          .set({ held_by: null })
          .where("id", "=", taskId)
          .where("fence", "=", fence)
          .execute();
      }),
    runningOf: (serviceId) =>
      database.read((session) =>
        readOrphans(session, sql`where ${isRunning} and service_id = ${serviceId}`),
      ),
    claimedBy: ({ serviceId, lane, turnTokens }) =>
      database.read((session) =>
        readOrphans(
          session,
          sql`where ${isRunning} and service_id = ${serviceId} and lane = ${lane}`,
          ({ turn_token }) => turn_token !== null && turnTokens.includes(turn_token),
        ),
      ),
  };
}

interface HeldRow {
  readonly id: number;
  readonly fence: number;
  readonly cancel_requested_at: number | null;
  readonly cancel_grace_ms: number | null;
}

/** Also leases that expired are extended: as long as nobody took the task, the attempt is still the only one. */
async function renewBatch(session: Session, leases: readonly LeaseReference[], leaseMs: number) {
  const { connection, dialect } = session;
  const held = await readHeld(session, leases, dialect.forUpdate);
  const ours = leases.flatMap((lease): RenewedLease[] => {
    const row = held.get(lease.taskId);
    if (row?.fence !== lease.fence) return [];
    const graceMs = row.cancel_grace_ms ?? 0;
    return [{ ...lease, cancelRequested: row.cancel_requested_at !== null, graceMs }];
  });
  if (ours.length === 0) return ours;
  await sql`
    update tasks ${dialect.byId} set lease_until = ${dialect.nowMs} + ${leaseMs}
    where id in ${dialect.idList(ours.map(({ taskId }) => taskId))} and ${isRunning}`.execute(
    connection,
  );
  return ours;
}

async function readRequests(session: Session, leases: readonly LeaseReference[]) {
  const held = await readHeld(session, leases, sql``);
  return leases.flatMap((lease): RequestedCancel[] => {
    const row = held.get(lease.taskId);
    if (row?.fence !== lease.fence || row.cancel_requested_at === null) return [];
    return [{ ...lease, graceMs: row.cancel_grace_ms ?? 0 }];
  });
}

/** Running tasks of these leases by id; the fences are for the caller to compare. */
async function readHeld(
  { connection, dialect }: Session,
  leases: readonly LeaseReference[],
  lock: Session["dialect"]["forUpdate"],
): Promise<ReadonlyMap<number, HeldRow>> {
  const { rows } = await sql<HeldRow>`
    select id, fence, cancel_requested_at, cancel_grace_ms from tasks ${dialect.byId}
    where id in ${dialect.idList(leases.map(({ taskId }) => taskId))} and ${isRunning}
    order by id ${lock}`.execute(connection);
  return new Map(rows.map((row) => [row.id, row]));
}

/** `which` comes right after the name of the table: an index to walk, or nothing, and the condition. */
async function readOrphans(
  session: Session,
  which: RawBuilder<unknown>,
  isMeant: (attempt: ClaimedAttempt) => boolean = () => true,
): Promise<OrphanedAttempt[]> {
  const { rows } = await sql<OrphanRow>`
    select id, fence, charged, deaths, retry_step_s, retry_total, retry, task_no, job, attempt,
      ${session.dialect.nowMs} as now_ms,
      (select app_key from applications where applications.id = tasks.application_id) as app_key,
      case when exists (select 1 from executors
        where executors.service_id = tasks.service_id and stopping_at is not null)
        then 1 else 0 end as is_stopped
    from tasks ${which}`.execute(session.connection);
  const claims = new Map(rows.map(({ id, fence }) => [id, fence]));
  const attempts = await readClaimedAttempts(session, claims);
  return rows.flatMap((row) => {
    // Without its attempt it was claimed again between the two reads.
    const attempt = attempts.get(row.id);
    return attempt === undefined || !isMeant(attempt) ? [] : [toOrphan(row, attempt)];
  });
}
