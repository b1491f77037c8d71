// What job authors import as "serendipity-job": everything a job file needs, and nothing behind it.
export type { Static, TSchema } from "@sinclair/typebox";
export { Type } from "@sinclair/typebox";
export { defineJob, type Job, type JobSpec } from "./define-job.ts";
export { NonRetryableError } from "./errors.ts";
export type { JobContext, JobLog, JobLogFields } from "./job-context.ts";
