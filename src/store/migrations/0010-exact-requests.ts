// The tenth schema: requests told apart by exact numbers and instants, and which executor has which job.
import { big, int, key, nullableColumn, type Table } from "./ddl.ts";
import type { Migration } from "./migration.ts";

const exactDigest = nullableColumn(
  key(
    "exact_digest",
    64,
    "as digest, over exact numbers and the instant of the runtime; empty: the same as digest; null: an older program created it",
  ),
);

const jobCount = nullableColumn(
  int("job_count", "how many rows of executor_jobs it has written; null: it tells none"),
);

const lastHad = [
  nullableColumn(
    key("had_by", 128, "executor that had it last when it ended; null: the one in service_id"),
  ),
  nullableColumn(big("had_at", "epoch ms of that one's last sign; null: published_at")),
];

const executorJobs: Table = {
  name: "executor_jobs",
  comment: "which executor has which job; rows end with the executor",
  columns: [
    key("job", 128, "name of the job"),
    key("service_id", 128, "executor that has it"),
    key("source_hash", 64, "SHA-256 of the job file it has"),
  ],
  primaryKey: ["job", "service_id"],
  indexes: [
    {
      name: "executor_jobs_by_executor",
      columns: ["service_id"],
      comment: "ends the rows of an executor",
    },
  ],
};

export const exactRequests: Migration = {
  version: 10,
  name: "exact-requests",
  oldestProgram: 6,
  statements: (ddl) => [
    ...ddl.addColumns("tasks", [exactDigest]),
    ...ddl.addColumns("executors", [jobCount]),
    ...ddl.addColumns("job_definitions", lastHad),
    ...ddl.createTable(executorJobs),
  ],
  repair:
    "drop exact_digest from tasks, job_count from executors, had_by and had_at from job_definitions and the table executor_jobs, as far as they are there",
};
