// The catalogue: what executors can run; rows outlive executors, the last publisher of a name wins.
import type { JobDefinition } from "../core/job.ts";
import type { CatalogueEntry, CatalogueStore } from "./catalogue-store.ts";
import type { Database, Session } from "./dialect.ts";
import { forget, tellJobs } from "./job-holders.ts";
import { fromJson, jsonText } from "./json-text.ts";
import { retryColumns, toRetry } from "./retry-columns.ts";
import { putOnce } from "./settings.ts";
import type { JobDefinitionRow } from "./tables.ts";

const PUBLISHED = "catalogue_published";

export function createCatalogue(database: Database): CatalogueStore {
  return {
    publish: (serviceId, jobs) =>
      database.write(async (session) => {
        // Always in the same order: two executors that start at once wait for each other, never in a circle.
        const sorted = jobs.toSorted((a, b) => (a.name < b.name ? -1 : 1));
        for (const job of sorted) await replaceJob(session, serviceId, job);
        await tellJobs(session, serviceId, sorted);
        // The last release's `/readyz` looks for it.
        await putOnce(session, PUBLISHED, "yes");
      }),
    find: (nameOrAlias) => database.read((session) => findJob(session, nameOrAlias)),
    list: () => database.read(listEntries),
    names: () =>
      database.read(async ({ connection }) => {
        const jobs = await connection.selectFrom("job_definitions").select("name").execute();
        const aliases = await connection.selectFrom("job_aliases").select("alias").execute();
        return [...jobs.map(({ name }) => name), ...aliases.map(({ alias }) => alias)];
      }),
    forget: (unseenMs) => database.write((session) => forget(session, unseenMs)),
  };
}

const noRetry = { retry_step_s: null, retry_total: null, retry: null };

async function replaceJob(
  { connection, dialect }: Session,
  serviceId: string,
  job: JobDefinition,
): Promise<void> {
  await dialect.replaceRows(connection, "job_definitions", [
    {
      name: job.name,
      aliases: JSON.stringify(job.aliases),
      params: jsonText(job.params),
      timeout_ms: job.timeoutMs,
      ...(job.retry === null ? noRetry : retryColumns(job.retry)),
      isolation: job.isolation,
      source_hash: job.sourceHash,
      untraced: job.untraced.length === 0 ? null : JSON.stringify(job.untraced),
      redact: job.redact === undefined || job.redact.length === 0 ? null : jsonText(job.redact),
      service_id: serviceId,
      published_at: dialect.nowMs,
    },
  ]);
  await connection.deleteFrom("job_aliases").where("name", "=", job.name).execute();
  if (job.aliases.length === 0) return;
  const aliases = [...new Set(job.aliases)].sort().map((alias) => ({ alias, name: job.name }));
  await dialect.replaceRows(connection, "job_aliases", aliases);
}

async function findJob({ connection }: Session, nameOrAlias: string) {
  const byName = connection.selectFrom("job_definitions").selectAll();
  const row =
    (await byName.where("name", "=", nameOrAlias).executeTakeFirst()) ??
    (await byName
      .innerJoin("job_aliases", "job_aliases.name", "job_definitions.name")
      .where("job_aliases.alias", "=", nameOrAlias)
      .selectAll("job_definitions")
      .executeTakeFirst());
  return row === undefined ? undefined : toJob(row);
}

async function listEntries({ connection }: Session): Promise<CatalogueEntry[]> {
  const rows = await connection.selectFrom("job_definitions").selectAll().execute();
  const held = await connection
    .selectFrom("executor_jobs")
    .innerJoin("executors", "executors.service_id", "executor_jobs.service_id")
    .where("executors.buried_at", "is", null)
    .select(["executor_jobs.job", "executor_jobs.service_id"])
    .orderBy("executor_jobs.service_id")
    .execute();
  const holders = Map.groupBy(held, ({ job }) => job);
  return rows.map((row) => ({
    job: toJob(row),
    publishedAt: row.published_at,
    executors: (holders.get(row.name) ?? []).map(({ service_id }) => service_id),
  }));
}

function toJob(row: JobDefinitionRow): JobDefinition {
  const { retry_step_s, retry_total, retry } = row;
  const isSilent = retry_step_s === null || retry_total === null;
  return {
    name: row.name,
    aliases: fromJson<string[]>(row.aliases) ?? [],
    params: fromJson(row.params),
    timeoutMs: row.timeout_ms,
    retry: isSilent ? null : toRetry({ retry_step_s, retry_total, retry }),
    isolation: row.isolation,
    sourceHash: row.source_hash,
    untraced: fromJson<JobDefinition["untraced"]>(row.untraced) ?? [],
    ...(row.redact !== null && { redact: fromJson<string[]>(row.redact) ?? [] }),
  };
}
