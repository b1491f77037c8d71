// Writes the ends of attempts and the next states of their tasks, guarded by their fences.
import { type RawBuilder, sql } from "kysely";
import type { NextState } from "../core/attempt.ts";
import { messageOf } from "../core/errors.ts";
import { underCancel } from "../core/outcome.ts";
import { batchesOf, groupsOf } from "./batches.ts";
import type { Session } from "./dialect.ts";
import { mayMoveTo } from "./guards.ts";
import { jsonText } from "./json-text.ts";
import { insertMany, type Value } from "./many-rows.ts";
import type { Finish, LeaseReference } from "./store.ts";
import { packTrace } from "./trace-text.ts";

/** More than any attempt may leave; with escaping it still fits into one packet of any server. */
const MOST_END_BYTES = 4 * 1024 * 1024;
const MESSAGE_LENGTH = 300;

/** Writes those finishes whose fence is still valid, and resolves to them. With `onlyExpired` a renewed lease wins. */
export async function writeFinishes(
  session: Session,
  finishes: readonly Finish[],
  onlyExpired = false,
): Promise<LeaseReference[]> {
  const written: LeaseReference[] = [];
  for (const batch of batchesOf(finishes)) {
    const valid = await lockValid(session, batch, onlyExpired);
    if (valid.length === 0) continue;
    await moveTasks(session, valid);
    await insertEnds(session, valid);
    written.push(...valid.map(({ taskId, attemptId, fence }) => ({ taskId, attemptId, fence })));
  }
  return written;
}

/**
 * Locks the tasks in the order of their ids, so that two turns never wait for each other in a circle. A cancel that was
 * requested before is decided here: the lock keeps a later one out until all is written.
 */
async function lockValid(
  { connection, dialect }: Session,
  finishes: readonly Finish[],
  onlyExpired: boolean,
): Promise<Finish[]> {
  const expired = sql`and tasks.lease_until <= ${dialect.nowMs}`;
  const { rows } = await sql<LockedRow>`
    select id, fence, cancel_requested_at from tasks ${dialect.byId}
    where id in ${dialect.idList(finishes.map(({ taskId }) => taskId))}
      and ${mayMoveTo("succeeded")} ${onlyExpired ? expired : sql``}
    order by id ${dialect.forUpdate}`.execute(connection);
  const locked = new Map(rows.map((row) => [row.id, row]));
  return finishes.flatMap((finish) => {
    const row = locked.get(finish.taskId);
    // A finish given twice is written once.
    locked.delete(finish.taskId);
    if (row?.fence !== finish.fence) return [];
    return [row.cancel_requested_at === null ? finish : underCancel(finish)];
  });
}

interface LockedRow {
  readonly id: number;
  readonly fence: number;
  readonly cancel_requested_at: number | null;
}

/** One statement per kind of move; the rows are locked and their fences checked. */
async function moveTasks(session: Session, finishes: readonly Finish[]): Promise<void> {
  for (const group of groupsOf(finishes, moveOf)) {
    const [finish] = group;
    if (finish !== undefined) await moveGroup(session, finish, group);
  }
}

/** Delays do not tell groups apart: with jitter there would be a statement for every task. */
function moveOf({ next, charged, end, heldBy, diedStopping = false }: Finish): string {
  const status = next.kind === "pending" ? "pending" : next.status;
  return `${status} ${charged} ${end.outcome === "lost"} ${diedStopping} ${heldBy ?? ""}`;
}

async function moveGroup(
  { connection, dialect }: Session,
  { next, charged, end, heldBy, diedStopping }: Finish,
  group: readonly Finish[],
): Promise<void> {
  await sql`
    update tasks ${dialect.byId} set ${nextColumns(next, delayOf(group), dialect.nowMs)},
      charged = charged + ${charged ? 1 : 0},
      deaths = deaths + ${end.outcome === "lost" ? 1 : 0},
      interruptions = interruptions + ${diedStopping ? 1 : 0},
      lease_until = null, service_id = null, held_by = ${heldBy ?? null}
    where id in ${dialect.idList(group.map(({ taskId }) => taskId))}
      and ${mayMoveTo(next.kind === "pending" ? "pending" : next.status, "running")}`.execute(
    connection,
  );
}

/** The delay of each task of the group; what is not pending has none. */
function delayOf(group: readonly Finish[]): RawBuilder<number> {
  const delays = group.map(({ taskId, next }) => ({
    taskId,
    delayMs: next.kind === "pending" ? next.delayMs : 0,
  }));
  const [first] = delays;
  if (delays.every(({ delayMs }) => delayMs === first?.delayMs)) return sql`${first?.delayMs ?? 0}`;
  const cases = delays.map(({ taskId, delayMs }) => sql`when ${taskId} then ${delayMs}`);
  return sql`case id ${sql.join(cases, sql` `)} end`;
}

function nextColumns(
  next: NextState,
  delayMs: RawBuilder<number>,
  nowMs: Session["dialect"]["nowMs"],
) {
  if (next.kind === "terminal") {
    return sql`status = ${sql.lit(next.status)}, finished_at = ${nowMs}`;
  }
  return sql`status = 'pending', finished_at = null, run_at = ${nowMs} + ${delayMs}`;
}

const END_COLUMNS = [
  ...["attempt_id", "outcome", "charged"],
  ...["result", "error", "receipt", "trace", "delivery"],
];

/** Ends are rows of their own: a plain INSERT however different their texts are, and a second end is refused. */
async function insertEnds(session: Session, finishes: readonly Finish[]): Promise<void> {
  const ends = finishes.map((finish) => ({ finish, ...contentOf(finish) }));
  const many = { table: "attempt_ends", columns: END_COLUMNS, clock: "finished_at" } as const;
  for (const batch of batchesOf(ends, ({ bytes }) => bytes)) {
    const rows = batch.map(({ finish: { attemptId, end, charged }, values }) => {
      return [attemptId, end.outcome, charged ? 1 : 0, ...values];
    });
    await insertMany(session, { ...many, rows });
  }
}

/** The values of the columns from `result` on, and about how large they are. */
function contentOf({ end }: Finish): { values: readonly Value[]; bytes: number } {
  const { result = null, error, receipt, delivery } = end;
  const texts = [result, jsonText(error), jsonText(receipt), jsonText(delivery)] as const;
  const trace = packTrace(end.trace);
  const bytes = texts.reduce((sum, text) => sum + Buffer.byteLength(text ?? ""), 0);
  const values = [...texts.slice(0, 3), trace, ...texts.slice(3)];
  return { values, bytes: bytes + (trace?.byteLength ?? 0) };
}

/** True when an end is so large that no statement should carry it. */
export function isHuge({ end }: Finish): boolean {
  const length = (end.result?.length ?? 0) + (jsonText(end.error)?.length ?? 0);
  return length > MOST_END_BYTES;
}

/**
 * What is written instead of an end the database refused: a short error. A success whose result cannot be kept is a
 * failure, and a final one, because the next attempt's result would be refused too.
 */
export function withoutContent(finish: Finish, cause: unknown): Finish {
  const why = messageOf(cause).slice(0, MESSAGE_LENGTH);
  const error = {
    name: "StoreError",
    message: `what this attempt left could not be stored: ${why}`,
    reason: "end_not_stored",
    fingerprint: "StoreError end_not_stored",
  };
  if (finish.end.outcome !== "succeeded") {
    return { ...finish, end: { outcome: finish.end.outcome, error } };
  }
  return {
    ...finish,
    end: { outcome: "failed", error: { ...error, final: true } },
    next: { kind: "terminal", status: "failed" },
  };
}
