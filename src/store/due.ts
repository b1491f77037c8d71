// Finds what is due in a lane: per job, so that a backlog of jobs unknown here costs nothing.
import { type RawBuilder, sql } from "kysely";
import { AppError } from "../core/errors.ts";
import type { Session } from "./dialect.ts";
import { mayMoveTo } from "./guards.ts";
import type { ClaimRequest } from "./store.ts";

/** A job with pending tasks, and when the first of them is due. The callback lane has no job: null. */
export interface PendingJob {
  readonly job: string | null;
  readonly nextAt: number;
}

/** What a claim could find, read without a lock. */
export interface Board {
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

/** Reads when the next claimable task of each job is due: two steps down an index per job, however many are pending. */
export async function readBoard(session: Session, claim: ClaimRequest): Promise<Board> {
  const { nowMs, rows } = await (claim.lane === "job" ? readJobs(session) : readCallbacks(session));
  const known = knownJobs(claim);
  const jobs = rows
    .flatMap(({ job, nextAt }) => (nextAt === null || !known(job) ? [] : [{ job, nextAt }]))
    .sort((a, b) => a.nextAt - b.nextAt);
  return { nowMs, jobs };
}

export function dueJobs({ nowMs, jobs }: Board): PendingJob[] {
  return jobs.filter(({ nextAt }) => nextAt <= nowMs);
}

/** Null when nothing is pending. */
export function nextDueInMs({ nowMs, jobs }: Board): number | null {
  const [first] = jobs;
  return first === undefined ? null : Math.max(0, first.nextAt - nowMs);
}

function knownJobs({ lane, jobs }: ClaimRequest): (job: string | null) => boolean {
  if (lane === "callback") return () => true;
  if (jobs === null) throw new AppError("internal", "a claim of the job lane names its jobs");
  const names = new Set(jobs);
  return (job) => job !== null && names.has(job);
}

interface BoardRow {
  readonly job: string | null;
  readonly nextAt: number | null;
}

async function readJobs({ connection, dialect }: Session) {
  const { rows } = await sql<BoardRow & { nowMs: number }>`
    with recursive pending(job) as (
      select (select job from tasks where ${mayMoveTo("running")} and job is not null
              order by job limit 1)
      union all
      select (select tasks.job from tasks where ${mayMoveTo("running")} and tasks.job > pending.job
              order by tasks.job limit 1)
      from pending where pending.job is not null)
    select pending.job as job, ${dialect.nowMs} as nowMs,
      (select run_at from tasks where ${isClaimable} and tasks.job = pending.job
       order by run_at limit 1) as nextAt
    from pending`.execute(connection);
  return { rows, nowMs: rows[0]?.nowMs ?? 0 };
}

async function readCallbacks({ connection, dialect }: Session) {
  const { rows } = await sql<{ nextAt: number | null; nowMs: number }>`
    select ${dialect.nowMs} as nowMs,
      (select run_at from tasks where ${isClaimable} and ${isOfJob(null)}
       order by run_at limit 1) as nextAt`.execute(connection);
  return { rows: rows.map(({ nextAt }) => ({ job: null, nextAt })), nowMs: rows[0]?.nowMs ?? 0 };
}
