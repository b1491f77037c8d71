// Which executor has which job: told when it publishes, ended with its burial, asked before a task waits for nobody.
import { sql } from "kysely";
import type { JobDefinition } from "../core/job.ts";
import type { JobHolders } from "../core/job-holders.ts";
import type { Session } from "./dialect.ts";
import { insertMany } from "./many-rows.ts";

/** Replaces what the executor told before. */
export async function tellJobs(
  session: Session,
  serviceId: string,
  jobs: readonly JobDefinition[],
): Promise<void> {
  const { connection } = session;
  await connection.deleteFrom("executor_jobs").where("service_id", "=", serviceId).execute();
  if (jobs.length > 0) {
    const rows = jobs.map(({ name, sourceHash }) => [name, serviceId, sourceHash]);
    await insertMany(session, {
      table: "executor_jobs",
      columns: ["job", "service_id", "source_hash"],
      rows,
    });
  }
  await connection
    .updateTable("executors")
    .set({ job_count: jobs.length })
    .where("service_id", "=", serviceId)
    .execute();
}

/** The executor is dead or taken for it: notes for each of its jobs the last holder, and when that was seen. */
export async function endJobs(session: Session, serviceId: string): Promise<void> {
  const { connection } = session;
  await sql`
    update job_definitions set had_by = ${serviceId},
      had_at = (select max(seen_at) from executors where service_id = ${serviceId})
    where name in (select job from executor_jobs where service_id = ${serviceId})`.execute(
    connection,
  );
  await connection.deleteFrom("executor_jobs").where("service_id", "=", serviceId).execute();
  // Should it live after all, it has told nothing since.
  await connection
    .updateTable("executors")
    .set({ job_count: null })
    .where("service_id", "=", serviceId)
    .execute();
}

interface HolderRow {
  readonly service_id: string;
  readonly seen_at: number;
  readonly is_living: 0 | 1;
  readonly tells: 0 | 1;
  readonly has: 0 | 1;
}

export async function readHolders(
  session: Session,
  job: string | null,
  silentMs: number,
): Promise<JobHolders> {
  const { connection, dialect } = session;
  const has = sql`exists (select 1 from executor_jobs as told
    where told.job = ${job ?? ""} and told.service_id = executors.service_id)`;
  const { rows } = await sql<HolderRow>`
    select service_id, seen_at, job_count is not null as tells, ${job === null ? sql`1` : has} as has,
      buried_at is null and seen_at > ${dialect.nowMs} - ${silentMs} as is_living
    from executors order by seen_at desc`.execute(connection);
  const living = rows.filter((row) => row.is_living === 1);
  const last = await lastHolder(session, job, rows);
  if (living.some((row) => row.has === 1)) return { kind: "living", last };
  return { kind: living.some((row) => row.tells === 0) ? "unknown" : "none", last };
}

/** The living ones first: what the catalogue notes is older. */
async function lastHolder(
  { connection }: Session,
  job: string | null,
  rows: readonly HolderRow[],
): Promise<JobHolders["last"]> {
  const holder = rows.find((row) => row.has === 1);
  if (holder !== undefined) return { serviceId: holder.service_id, at: holder.seen_at };
  if (job === null) return null;
  const noted = await connection
    .selectFrom("job_definitions")
    .select(["service_id", "published_at", "had_by", "had_at"])
    .where("name", "=", job)
    .executeTakeFirst();
  if (noted === undefined) return null;
  if (noted.had_by !== null && noted.had_at !== null) {
    return { serviceId: noted.had_by, at: noted.had_at };
  }
  const publisher = rows.find((row) => row.service_id === noted.service_id);
  return { serviceId: noted.service_id, at: publisher?.seen_at ?? noted.published_at };
}

/** See the port. */
export async function forget(session: Session, unseenMs: number): Promise<string[]> {
  const { connection, dialect } = session;
  const silent = await connection
    .selectFrom("executors")
    .select("service_id")
    .where("buried_at", "is", null)
    .where("job_count", "is", null)
    .executeTakeFirst();
  if (silent !== undefined) return [];
  const { rows } = await sql<{ name: string }>`
    select name from job_definitions
    where coalesce(had_at, published_at) < ${dialect.nowMs} - ${unseenMs}
      and name not in (select job from executor_jobs)`.execute(connection);
  const names = rows.map(({ name }) => name);
  if (names.length === 0) return [];
  await connection.deleteFrom("job_aliases").where("name", "in", names).execute();
  await connection.deleteFrom("job_definitions").where("name", "in", names).execute();
  return names;
}
