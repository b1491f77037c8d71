// The first schema: applications, tasks, attempts, the catalogue and what keeps several processes apart.
import {
  big,
  blob,
  idColumn,
  int,
  key,
  nullableColumn,
  type Table,
  textColumn,
  zero,
} from "./ddl.ts";
import type { Migration } from "./migration.ts";

const applications: Table = {
  name: "applications",
  comment: "tenants, each with its own secret and callback address",
  columns: [
    idColumn("number of the application"),
    key("app_key", 64, "public name in signed requests"),
    key("name", 100, "what people call it"),
    textColumn("secret_sealed", "the secret, encrypted with the installation's key"),
    textColumn("link_url", "where callbacks are delivered"),
    int("retry_step_s", "default retry: seconds added per charged attempt"),
    int("retry_total", "default retry: retries after the first charged attempt"),
    textColumn("remark", "free text of whoever created it"),
    zero(int("require_body_signature", "1 refuses ready-made signatures")),
    big("created_at", "epoch ms"),
  ],
  checks: {
    retry: "retry_step_s BETWEEN 0 AND 3600 AND retry_total BETWEEN 0 AND 10",
  },
  indexes: [
    {
      name: "applications_by_app_key",
      columns: ["app_key"],
      isUnique: true,
      comment: "finds the secret of a signed request",
    },
  ],
};

const tasks: Table = {
  name: "tasks",
  comment: "durable requests, each to be brought to one terminal state",
  columns: [
    idColumn("number of the task"),
    big("application_id", "whose task it is"),
    key("task_no", 128, "the application's own number, unique within it"),
    key("name", 64, "what people call it"),
    key("lane", 8, "what kind of attempt it needs: job or callback"),
    nullableColumn(key("job", 128, "name of the job in the catalogue; null in the callback lane")),
    textColumn("content", "JSON the attempt gets"),
    key("digest", 64, "decides whether a repeated create is the same request"),
    big("timeout_ms", "longest time of one attempt"),
    key("status", 16, "pending, running, succeeded, failed or cancelled"),
    big("run_at", "epoch ms before which no attempt starts"),
    zero(big("fence", "counts claims, never reset: proves the right to finish an attempt")),
    { ...int("life", "counts redeliveries by hand, from 1"), default: "1" },
    zero(int("attempt", "attempts claimed in this life")),
    zero(int("charged", "ended attempts of this life that count against the budget")),
    zero(int("deaths", "attempts of this life whose executor died")),
    int("retry_step_s", "retry: seconds added per charged attempt"),
    int("retry_total", "retry: retries after the first charged attempt"),
    nullableColumn(big("cancel_requested_at", "epoch ms of the first request to cancel it")),
    nullableColumn(big("lease_until", "epoch ms up to which the executor may finish the attempt")),
    nullableColumn(key("service_id", 128, "executor of the running attempt")),
    nullableColumn(
      key("held_by", 128, "executor in which something of it still runs: not to be claimed"),
    ),
    big("created_at", "epoch ms"),
    nullableColumn(big("finished_at", "epoch ms of the terminal state")),
  ],
  references: { column: "application_id", table: "applications" },
  checks: {
    status: "status IN ('pending', 'running', 'succeeded', 'failed', 'cancelled')",
    lane: "lane IN ('job', 'callback') AND (lane = 'job') = (job IS NOT NULL)",
    // MySQL compares with padding, so a number that ends in a space would equal one without.
    task_no: "length(task_no) > 0 AND length(trim(task_no)) = length(task_no)",
    leased: "(status = 'running') = (lease_until IS NOT NULL)",
    owned: "(status = 'running') = (service_id IS NOT NULL)",
    finished: "(status IN ('succeeded', 'failed', 'cancelled')) = (finished_at IS NOT NULL)",
    cancelled: "status <> 'pending' OR cancel_requested_at IS NULL",
    budget: "charged + deaths <= attempt AND attempt <= fence",
    retry: "retry_step_s BETWEEN 0 AND 3600 AND retry_total BETWEEN 0 AND 10",
  },
  indexes: [
    {
      name: "tasks_by_task_no",
      columns: ["application_id", "task_no"],
      isUnique: true,
      comment: "one row per number of an application",
    },
    {
      name: "tasks_due",
      columns: ["status", "job", "run_at"],
      where: "status = 'pending'",
      comment:
        "claims in dispatch order, per job so that jobs unknown to an executor cost it nothing",
    },
    {
      name: "tasks_due_by_application",
      columns: ["status", "job", "application_id", "run_at"],
      where: "status = 'pending'",
      comment: "shares slots between applications when more is due than fits",
    },
    {
      name: "tasks_leased",
      columns: ["lease_until"],
      where: "status = 'running'",
      comment: "finds expired leases",
    },
    {
      name: "tasks_held",
      columns: ["held_by"],
      where: "held_by IS NOT NULL",
      comment: "frees what a dead executor held",
    },
    {
      name: "tasks_finished",
      columns: ["status", "finished_at"],
      where: "finished_at IS NOT NULL",
      comment: "deletes finished tasks by age, failed ones apart",
    },
  ],
};

const attempts: Table = {
  name: "attempts",
  comment: "executions of tasks; a row is inserted by the claim and never changed",
  columns: [
    idColumn("number of the attempt"),
    big("task_id", "what it executes"),
    int("life", "the life of the task it belongs to"),
    int("attempt", "its number within that life, from 1"),
    big("fence", "the fence it was claimed with"),
    key("service_id", 128, "executor that runs it"),
    big("coroutine_id", "its number within that executor"),
    big("started_at", "epoch ms of the claim"),
  ],
  indexes: [
    {
      name: "attempts_by_task",
      columns: ["task_id", "fence"],
      isUnique: true,
      comment: "the attempts of a task in their order; one per claim",
    },
  ],
};

const attemptEnds: Table = {
  name: "attempt_ends",
  comment: "how attempts ended and what they left; missing while an attempt runs",
  columns: [
    big("attempt_id", "whose end it is"),
    key("outcome", 16, "how it ended"),
    int("charged", "1: it counts against the retry budget"),
    big("finished_at", "epoch ms at which the end was written"),
    nullableColumn(textColumn("result", "JSON the job returned")),
    nullableColumn(textColumn("error", "JSON of the error")),
    nullableColumn(textColumn("receipt", "JSON of the proof how it was stopped")),
    nullableColumn(blob("trace", "gzipped JSON: where it was, and its last events")),
  ],
  primaryKey: ["attempt_id"],
  checks: {
    outcome:
      "outcome IN ('succeeded', 'failed', 'timed_out', 'cancelled', 'crashed', 'lost', 'interrupted')",
  },
};

const usedNonces: Table = {
  name: "used_nonces",
  comment: "nonces of signed requests that change something",
  columns: [
    big("application_id", "whose request it was"),
    key("nonce", 64, "as sent"),
    big("used_at", "epoch ms"),
  ],
  primaryKey: ["application_id", "nonce"],
  indexes: [
    {
      name: "used_nonces_by_age",
      columns: ["used_at"],
      comment: "deletes those too old to matter",
    },
  ],
};

const jobDefinitions: Table = {
  name: "job_definitions",
  comment: "the catalogue: jobs as executors published them last; rows outlive executors",
  columns: [
    key("name", 128, "name of the job"),
    textColumn("aliases", "JSON array of its other names"),
    nullableColumn(textColumn("params", "JSON Schema of its params; null accepts anything")),
    nullableColumn(big("timeout_ms", "caps the timeout of a task")),
    nullableColumn(int("retry_step_s", "overrides the application's retry; null with retry_total")),
    nullableColumn(int("retry_total", "overrides the application's retry; null with retry_step_s")),
    key("isolation", 16, "warm or fresh"),
    key("source_hash", 64, "SHA-256 of the job file"),
    key("service_id", 128, "executor that published it last"),
    big("published_at", "epoch ms"),
  ],
  primaryKey: ["name"],
};

const jobAliases: Table = {
  name: "job_aliases",
  comment: "other names of jobs",
  columns: [key("alias", 255, "the other name"), key("name", 128, "name of the job")],
  primaryKey: ["alias"],
  indexes: [
    { name: "job_aliases_by_name", columns: ["name"], comment: "replaces the aliases of a job" },
  ],
};

const executors: Table = {
  name: "executors",
  comment: "processes that run attempts",
  columns: [
    key("service_id", 128, "name of this incarnation, never used again"),
    key("host", 255, "where it runs"),
    big("pid", "its process id there"),
    big("started_at", "epoch ms"),
    big("seen_at", "epoch ms of its last sign of life"),
    nullableColumn(big("buried_at", "epoch ms at which its death was proven or presumed")),
  ],
  primaryKey: ["service_id"],
};

const settings: Table = {
  name: "settings",
  comment: "facts about the installation, each written once",
  columns: [key("name", 64, "which fact"), textColumn("value", "the fact")],
  primaryKey: ["name"],
};

const tables = [
  applications,
  tasks,
  attempts,
  attemptEnds,
  usedNonces,
  jobDefinitions,
  jobAliases,
  executors,
  settings,
];

export const firstTables: Migration = {
  version: 1,
  name: "first-tables",
  statements: (ddl) => tables.flatMap(ddl.createTable),
  repair: `drop the tables it has created (of ${tables.map(({ name }) => name).join(", ")}; they are empty)`,
};
