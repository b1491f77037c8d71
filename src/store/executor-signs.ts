// When executors and their lanes were heard last, by the database's clock.
import { type Expression, sql } from "kysely";
import type { Lane } from "../core/task.ts";
import type { Database, Session } from "./dialect.ts";
import type { ExecutorSigns, ExecutorStore } from "./executor-store.ts";

const SEEN_AT = { job: "job_seen_at", callback: "callback_seen_at" } as const satisfies Record<
  Lane,
  string
>;

export function createExecutorSigns(
  database: Database,
): Pick<ExecutorStore, "beat" | "signLane" | "signs"> {
  return {
    // One that was taken for dead and beats again is alive: what it holds from now on must be held.
    beat: (serviceId, clockAheadMs) =>
      database.write(async ({ connection, dialect }) => {
        const clock = clockAheadMs === undefined ? {} : { clock_ahead_ms: clockAheadMs };
        await connection
          .updateTable("executors")
          .set({ seen_at: dialect.nowMs, buried_at: null, ...clock })
          .where("service_id", "=", serviceId)
          .execute();
      }),
    signLane: (serviceId, lane) =>
      database.write(async ({ connection, dialect }) => {
        await connection
          .updateTable("executors")
          .set({ [SEEN_AT[lane]]: dialect.nowMs })
          .where("service_id", "=", serviceId)
          .execute();
      }),
    signs: () => database.read(readSigns),
  };
}

async function readSigns({ connection, dialect }: Session): Promise<ExecutorSigns[]> {
  const ageOf = (column: Expression<number | null>) =>
    sql<number | null>`${dialect.nowMs} - ${column}`;
  const rows = await connection
    .selectFrom("executors")
    .select(({ ref }) => [
      "service_id",
      "clock_ahead_ms",
      ageOf(ref("seen_at")).as("seen"),
      ageOf(ref("job_seen_at")).as("job"),
      ageOf(ref("callback_seen_at")).as("callback"),
    ])
    .where("buried_at", "is", null)
    .orderBy("service_id")
    .execute();
  return rows.map((row) => ({
    serviceId: row.service_id,
    seenAgoMs: row.seen ?? 0,
    laneAgoMs: { job: row.job, callback: row.callback },
    clockAheadMs: row.clock_ahead_ms,
  }));
}
