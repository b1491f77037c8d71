// Executors: which are alive, and setting free what the dead ones held.
import { sql } from "kysely";
import type { KillReceipt } from "../core/attempt.ts";
import type { Database, Session } from "./dialect.ts";
import { createExecutorSigns } from "./executor-signs.ts";
import type { ExecutorStore } from "./executor-store.ts";
import { readClaimedAttempts } from "./find-task.ts";
import { endJobs, readHolders } from "./job-holders.ts";
import { jsonText } from "./json-text.ts";

/** Dead executors are kept for a day, for operators who read the table after an accident. */
const KEPT_DEAD_MS = 24 * 60 * 60 * 1000;

export function createExecutors(database: Database): ExecutorStore {
  return {
    ...createExecutorSigns(database),
    register: ({ serviceId, host, pid }) =>
      database.write(({ connection, dialect }) => {
        const now = { started_at: dialect.nowMs, seen_at: dialect.nowMs, buried_at: null };
        const row = { service_id: serviceId, host, pid, ...now };
        return dialect.replaceRows(connection, "executors", [row]);
      }),
    noteStopping: (serviceId) =>
      database.write(async ({ connection, dialect }) => {
        await connection
          .updateTable("executors")
          .set({ stopping_at: dialect.nowMs })
          .where("service_id", "=", serviceId)
          .execute();
      }),
    living: () =>
      database.read(async ({ connection }) => {
        const rows = await connection
          .selectFrom("executors")
          .select("service_id")
          .where("buried_at", "is", null)
          .orderBy("service_id")
          .execute();
        return rows.map(({ service_id }) => service_id);
      }),
    holders: (job, silentMs) => database.read((session) => readHolders(session, job, silentMs)),
    declareDead: (serviceId, provenAgoMs = 0) =>
      database.write(async (session) => {
        await proveHeld(session, serviceId, provenAgoMs);
        await declareDead(session, serviceId);
      }),
    declareSilentDead: (silentMs) =>
      database.write((session) => declareSilentDead(session, silentMs)),
  };
}

async function declareDead(session: Session, serviceId: string): Promise<void> {
  const { connection, dialect } = session;
  await endJobs(session, serviceId);
  await connection
    .updateTable("executors")
    .set({ buried_at: dialect.nowMs })
    .where("service_id", "=", serviceId)
    .execute();
  await connection
    .updateTable("tasks")
    .set({ held_by: null })
    .where("held_by", "=", serviceId)
    .execute();
}

/** What was not dead when its attempt was recorded died with the executor: the receipts say so, and after how long. */
async function proveHeld(session: Session, serviceId: string, provenAgoMs: number): Promise<void> {
  const { connection, dialect } = session;
  const held = await connection
    .selectFrom("tasks")
    .select(["id", "fence"])
    .where("held_by", "=", serviceId)
    .execute();
  const attempts = await readClaimedAttempts(session, new Map(held.map((it) => [it.id, it.fence])));
  for (const { id } of attempts.values()) {
    const end = await connection
      .selectFrom("attempt_ends")
      .select(["receipt", "finished_at", dialect.nowMs.as("now_ms")])
      .where("attempt_id", "=", id)
      .executeTakeFirst();
    if (end === undefined) continue;
    await connection
      .updateTable("attempt_ends")
      .set({ receipt: jsonText(proofOf(end, provenAgoMs)) })
      .where("attempt_id", "=", id)
      .execute();
  }
}

interface HeldEnd {
  readonly receipt: string | null;
  readonly finished_at: number;
  readonly now_ms: number;
}

function proofOf({ receipt, finished_at, now_ms }: HeldEnd, provenAgoMs: number): KillReceipt {
  const known = receipt === null ? null : (JSON.parse(receipt) as KillReceipt);
  if (known?.killed) return known;
  const at = now_ms - provenAgoMs;
  const latencyMs = Math.max(0, at - finished_at) + (known?.latencyMs ?? 0);
  return { ...known, killed: true, method: "executor", latencyMs, at };
}

async function declareSilentDead(session: Session, silentMs: number): Promise<number> {
  const { connection, dialect } = session;
  const ago = (ageMs: number) => sql<number>`${dialect.nowMs} - ${ageMs}`;
  const silent = await connection
    .selectFrom("executors")
    .select("service_id")
    .where("buried_at", "is", null)
    .where("seen_at", "<=", ago(silentMs))
    .orderBy("service_id")
    .execute();
  for (const { service_id } of silent) {
    await proveHeld(session, service_id, 0);
    await declareDead(session, service_id);
  }
  await freeOrphaned(session);
  await connection.deleteFrom("executors").where("buried_at", "<", ago(KEPT_DEAD_MS)).execute();
  return silent.length;
}

/** Sets free what was held, too late, in the name of an executor that was declared dead before. */
async function freeOrphaned({ connection }: Session): Promise<void> {
  await connection
    .updateTable("tasks")
    .set({ held_by: null })
    .where("held_by", "is not", null)
    .where("held_by", "not in", (query) =>
      query.selectFrom("executors").select("service_id").where("buried_at", "is", null),
    )
    .execute();
}
