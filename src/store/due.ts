// Finds what is due in a lane: per job, so that a backlog of jobs unknown here costs nothing.
import { type RawBuilder, sql } from "kysely";
import { AppError } from "../core/errors.ts";
import { batchesOf } from "./batches.ts";
import type { Session } from "./dialect.ts";
import { mayMoveTo } from "./guards.ts";
import type { ClaimRequest } from "./store.ts";

/** A job with pending tasks, and when the first of them is due. The callback lane has no job: null. */
export interface PendingJob {
  readonly job: string | null;
  readonly nextAt: number;
}

/** What a claim could find, read without a lock. */
export interface DueSummary {
  readonly nowMs: number;
  /** Jobs that can be run here, the most overdue first. */
  readonly jobs: readonly PendingJob[];
}

/** A task that may be claimed. */
export const isClaimable = sql<boolean>`${mayMoveTo("running")} and tasks.held_by is null`;

/** Narrows to one job; with `is null` and not with a null-safe operator: those differ between databases. */
export function isOfJob(job: string | null): RawBuilder<boolean> {
  return job === null ? sql<boolean>`tasks.job is null` : sql<boolean>`tasks.job = ${job}`;
}

/** Most branches of one UNION; SQLite takes 500. */
const MOST_BRANCHES = 400;

/**
 * Reads when the next claimable task of each job is due: one step down an index per job, however many are pending.
 * The jobs are given and not looked for: MariaDB scans all pending tasks for a "next larger job than this row's".
 */
export async function readDueSummary(session: Session, claim: ClaimRequest): Promise<DueSummary> {
  const summary = { nowMs: 0, jobs: [] as PendingJob[] };
  for (const names of batchesOf(namesOf(claim), () => 0, MOST_BRANCHES)) {
    const rows = await readNextDue(session, names);
    summary.nowMs = rows[0]?.nowMs ?? summary.nowMs;
    for (const { name, nextAt } of rows) {
      if (nextAt !== null) summary.jobs.push({ job: claim.lane === "job" ? name : null, nextAt });
    }
  }
  summary.jobs.sort((a, b) => a.nextAt - b.nextAt);
  return summary;
}

export function dueJobs({ nowMs, jobs }: DueSummary): PendingJob[] {
  return jobs.filter(({ nextAt }) => nextAt <= nowMs);
}

/** Null when nothing is pending. */
export function nextDueInMs({ nowMs, jobs }: DueSummary): number | null {
  const [first] = jobs;
  return first === undefined ? null : Math.max(0, first.nextAt - nowMs);
}

/** Tasks of the callback lane have no job. */
function namesOf({ lane, jobs }: ClaimRequest): readonly (string | null)[] {
  if (lane === "callback") return [null];
  if (jobs === null) throw new AppError("internal", "a claim of the job lane names its jobs");
  return [...new Set(jobs)];
}

interface NextDue {
  readonly name: string | null;
  readonly nextAt: number | null;
  readonly nowMs: number;
}

async function readNextDue({ connection, dialect }: Session, names: readonly (string | null)[]) {
  const ofJob = names.includes(null) ? isOfJob(null) : sql`tasks.job = known.name`;
  const { rows } = await sql<NextDue>`
    select known.name as name, ${dialect.nowMs} as nowMs,
      (select run_at from tasks ${dialect.byIndex("tasks_due")}
       where ${isClaimable} and ${ofJob} order by run_at limit 1) as nextAt
    from (${tableOf(names)}) as known`.execute(connection);
  return rows;
}

/** The names as rows of a column `name`. */
export function tableOf(names: readonly (string | null)[]): RawBuilder<unknown> {
  return sql.join(
    names.map((name) => sql`select ${name} as name`),
    sql` union all `,
  );
}
