// The tables as Kysely sees them; the columns are explained where they are created, in `migrations/`.
import type { Generated, Selectable } from "kysely";
import type { Outcome } from "../core/attempt.ts";
import type { Isolation } from "../core/job.ts";
import type { Lane, SuccessMatch, TaskStatus } from "../core/task.ts";

/** Neither database has booleans: 0 or 1. */
export type Flag = 0 | 1;

export interface Tables {
  applications: ApplicationsTable;
  tasks: TasksTable;
  attempts: AttemptsTable;
  attempt_ends: AttemptEndsTable;
  attempt_checkpoints: AttemptCheckpointsTable;
  used_nonces: UsedNoncesTable;
  job_definitions: JobDefinitionsTable;
  executor_jobs: ExecutorJobsTable;
  job_aliases: JobAliasesTable;
  executors: ExecutorsTable;
  settings: SettingsTable;
  schema_migrations: SchemaMigrationsTable;
  schema_changes: SchemaChangesTable;
}

/** The columns to which an INSERT of ours gives a value; the others begin with what the database gives them. */
export type GivenColumn<Table extends keyof Tables> = {
  [Column in keyof Tables[Table]]: Tables[Table][Column] extends Generated<infer _>
    ? never
    : Column;
}[keyof Tables[Table]];

interface ApplicationsTable {
  id: Generated<number>;
  app_key: string;
  name: string;
  secret_sealed: string;
  link_url: string;
  retry_step_s: number;
  retry_total: number;
  remark: string;
  require_body_signature: Flag;
  created_at: number;
  retry: string | null;
  success_match: SuccessMatch;
  callback_secret_sealed: string | null;
  previous_secret_sealed: Generated<string | null>;
  previous_callback_secret_sealed: Generated<string | null>;
  previous_until: Generated<number | null>;
  last_task_at: Generated<number | null>;
}

interface TasksTable {
  id: Generated<number>;
  application_id: number;
  task_no: string;
  name: string;
  lane: Lane;
  job: string | null;
  content: string;
  digest: string;
  exact_digest: string | null;
  timeout_ms: number;
  status: TaskStatus;
  run_at: number;
  fence: Generated<number>;
  life: Generated<number>;
  attempt: Generated<number>;
  charged: Generated<number>;
  deaths: Generated<number>;
  interruptions: Generated<number>;
  retry_step_s: number;
  retry_total: number;
  retry: string | null;
  webhook_tag: string | null;
  cancel_requested_at: Generated<number | null>;
  cancel_grace_ms: Generated<number | null>;
  lease_until: Generated<number | null>;
  service_id: Generated<string | null>;
  held_by: Generated<string | null>;
  created_at: number;
  finished_at: Generated<number | null>;
}

interface AttemptsTable {
  id: Generated<number>;
  task_id: number;
  life: number;
  attempt: number;
  fence: number;
  service_id: string;
  coroutine_id: number;
  started_at: number;
  turn_token: Generated<string | null>;
}

interface AttemptEndsTable {
  attempt_id: number;
  outcome: Outcome;
  charged: Flag;
  finished_at: number;
  result: string | null;
  error: string | null;
  receipt: string | null;
  trace: Uint8Array | null;
  delivery: string | null;
}

interface AttemptCheckpointsTable {
  attempt_id: number;
  written_at: number;
  view: string;
}

interface UsedNoncesTable {
  application_id: number;
  nonce: string;
  used_at: number;
}

interface JobDefinitionsTable {
  name: string;
  aliases: string;
  params: string | null;
  timeout_ms: number | null;
  retry_step_s: number | null;
  retry_total: number | null;
  retry: string | null;
  isolation: Isolation;
  source_hash: string;
  service_id: string;
  published_at: number;
  untraced: string | null;
  had_by: Generated<string | null>;
  had_at: Generated<number | null>;
  redact: string | null;
}

interface ExecutorJobsTable {
  job: string;
  service_id: string;
  source_hash: string;
}

interface JobAliasesTable {
  alias: string;
  name: string;
}

interface ExecutorsTable {
  service_id: string;
  host: string;
  pid: number;
  started_at: number;
  seen_at: number;
  buried_at: number | null;
  stopping_at: Generated<number | null>;
  job_count: Generated<number | null>;
  job_seen_at: Generated<number | null>;
  callback_seen_at: Generated<number | null>;
  clock_ahead_ms: Generated<number | null>;
}

interface SettingsTable {
  name: string;
  value: string;
}

interface SchemaMigrationsTable {
  version: number;
  name: string;
  statements_done: number;
  started_at: number;
  finished_at: number | null;
}

interface SchemaChangesTable extends SchemaMigrationsTable {
  oldest_program: number;
}

export type ApplicationRow = Selectable<ApplicationsTable>;
export type TaskRow = Selectable<TasksTable>;
export type AttemptRow = Selectable<AttemptsTable>;
export type AttemptEndRow = Selectable<AttemptEndsTable>;
export type JobDefinitionRow = Selectable<JobDefinitionsTable>;
