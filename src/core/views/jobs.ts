// The view of the jobs that exist: what the catalogue has, and which executors have each.
import { Type } from "@sinclair/typebox";
import { ISOLATIONS } from "../job.ts";
import { named } from "./named.ts";
import { anyObject, int64, nullable, oneOf, type Shown } from "./shapes.ts";

const jobSchema = named(
  "Job",
  Type.Object({
    name: Type.String({ description: "What `class` of a task's content names." }),
    aliases: Type.Array(Type.String(), { description: "Other names by which it can be called." }),
    params: nullable(anyObject("JSON Schema of the params it takes; null: anything.")),
    timeoutMs: nullable(
      Type.Integer({ description: "Longest attempt in ms; null: the task's own timeout counts." }),
    ),
    isolation: oneOf(ISOLATIONS),
    sourceHash: Type.String({ description: "Hex SHA-256 of the job file." }),
    publishedAt: int64("When an executor published it last, in epoch ms on the database's clock."),
    executors: Type.Array(Type.String(), {
      description: "Executors that have it; while there are none its tasks wait.",
    }),
  }),
);

/** A job that a task can name. */
export type JobView = Shown<typeof jobSchema>;

export const jobListSchema = named("JobList", Type.Object({ jobs: Type.Array(jobSchema) }));

/** By their names. */
export type JobsView = Shown<typeof jobListSchema>;
