// The route that shows the jobs that exist: their names, what they take, and which executors have them.
import { Type } from "@sinclair/typebox";
import { type JobsView, jobListSchema } from "../core/views/jobs.ts";
import { listJobs } from "../use-cases/list-jobs.ts";
import { ADMIN_CHALLENGE, requireAdmin } from "./admin.ts";
import type { HttpDeps } from "./deps.ts";
import { plainOperation } from "./operation.ts";
import { plainResponse } from "./plain.ts";
import type { Route } from "./route.ts";
import { readSignedRaw, SIGNATURE_CHALLENGE } from "./signed.ts";

/** `GET /api/v1/jobs`. */
export function jobsRoute(deps: HttpDeps): Route {
  return {
    method: "GET",
    path: "/api/v1/jobs",
    operation: jobsOperation,
    challenge: `${ADMIN_CHALLENGE}, ${SIGNATURE_CHALLENGE}`,
    failures: "problem",
    answer: async (exchange) => {
      if (exchange.request.headers.has("signature")) await readSignedRaw(deps, exchange);
      else requireAdmin(deps.config, exchange);
      return plainResponse(await listJobs(deps));
    },
  };
}

const jobsExample: JobsView = {
  jobs: [
    {
      name: "countdown",
      aliases: [],
      params: {
        type: "object",
        properties: { from: { type: "integer", minimum: 1, maximum: 3600 } },
        required: ["from"],
      },
      timeoutMs: null,
      isolation: "warm",
      sourceHash: "7d865e959b2466918c9863afca942d0fb89d7c9ac0c99bafc3749504ded97730",
      publishedAt: 1_626_418_779_000,
      executors: ["executor-1"],
    },
  ],
};

const jobsOperation = plainOperation({
  id: "listJobs",
  tag: "jobs",
  summary: "Show the jobs that exist",
  description:
    "What executors have published, by name, also jobs that no executor has any more (until JOB_FORGET_DAYS are over). For every application, by its signature, and for the operator, by the ADMIN_TOKEN as for /application/create.",
  proof: "adminOrSignature",
  path: Type.Object({}),
  answer: jobListSchema,
  examples: { oneJob: jobsExample },
  errors: ["Unauthorised", "Unavailable"],
});
