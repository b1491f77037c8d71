// All that is known of a fault session when it is over: what its processes noted, and what the database has.
import { join } from "node:path";
import { createConnection, type RowDataPacket } from "mysql2/promise";
import type { Fault } from "./cells.ts";
import { type HistoryLine, readHistory } from "./history.ts";

export interface TaskFinal {
  readonly id: number;
  readonly taskNo: string;
  readonly lane: "job" | "callback";
  readonly status: string;
  readonly life: number;
  /** Attempts claimed. */
  readonly attempt: number;
  readonly charged: number;
  readonly retryTotal: number;
}

export interface AttemptFinal {
  readonly taskId: number;
  readonly attempt: number;
  readonly life: number;
  /** Null: it has no end. */
  readonly outcome: string | null;
  readonly charged: boolean;
  /** Epoch ms. */
  readonly startedAt: number;
  /** Epoch ms; null without an end. */
  readonly finishedAt: number | null;
}

/** The time in which a fault was done or could still be felt; epoch ms. */
export interface FaultTime {
  readonly fault: Fault;
  readonly from: number;
  readonly healedAt: number;
  readonly to: number;
}

export interface Session {
  readonly load: readonly HistoryLine[];
  readonly effects: readonly HistoryLine[];
  readonly deliveries: readonly HistoryLine[];
  readonly tasks: readonly TaskFinal[];
  readonly attempts: readonly AttemptFinal[];
  readonly faults: readonly FaultTime[];
}

const TASKS =
  "SELECT id, task_no AS taskNo, lane, status, life, attempt, charged, retry_total AS retryTotal FROM tasks";
const ATTEMPTS = `SELECT a.task_id AS taskId, a.attempt, a.life, a.started_at AS startedAt, e.outcome, coalesce(e.charged, 0) AS charged, e.finished_at AS finishedAt
  FROM attempts a LEFT JOIN attempt_ends e ON e.attempt_id = a.id ORDER BY a.fence`;

/** How many tasks are not at an end yet. */
export async function countOpen(databaseUrl: string): Promise<number> {
  const [row] = await query(
    databaseUrl,
    "SELECT count(*) AS n FROM tasks WHERE status IN ('pending', 'running')",
  );
  return Number(row?.["n"]);
}

/** How many jobs executors have published. */
export async function countJobs(databaseUrl: string): Promise<number> {
  const [row] = await query(databaseUrl, "SELECT count(*) AS n FROM job_definitions");
  return Number(row?.["n"]);
}

export async function readSession(
  folder: string,
  databaseUrl: string,
  faults: readonly FaultTime[],
): Promise<Session> {
  const tasks = (await query(databaseUrl, TASKS)) as unknown as TaskFinal[];
  const attempts = await query(databaseUrl, ATTEMPTS);
  return {
    load: readHistory(join(folder, "load.jsonl")),
    effects: readHistory(join(folder, "effects.jsonl")),
    deliveries: readHistory(join(folder, "receiver.jsonl")),
    tasks,
    attempts: attempts.map((row) => ({
      ...row,
      charged: Number(row["charged"]) === 1,
    })) as unknown as AttemptFinal[],
    faults,
  };
}

async function query(url: string, sql: string): Promise<RowDataPacket[]> {
  const connection = await createConnection({ uri: url });
  try {
    const [rows] = await connection.query<RowDataPacket[]>(sql);
    return rows;
  } finally {
    connection.destroy();
  }
}
