// The route that lists a task's attempts, with what went over the wire for callbacks.
import { Type } from "@sinclair/typebox";
import { attemptListSchema, type FullAttemptView } from "../core/views/attempt.ts";
import { autopsyExample } from "../core/views/autopsy.ts";
import { taskAttempts } from "../use-cases/task-attempts.ts";
import { curlFor } from "./curl.ts";
import type { HttpDeps } from "./deps.ts";
import { refuse, succeed } from "./envelope.ts";
import { createForm } from "./form.ts";
import { operation } from "./operation.ts";
import type { Route } from "./route.ts";
import { taskId } from "./schemas.ts";
import { readSignedPath, SIGNATURE_CHALLENGE } from "./signed.ts";

const whichTask = Type.Object({ id: taskId() });

/** `GET /task/{id}/attempts`. */
export function taskAttemptsRoute(deps: HttpDeps): Route {
  const curl = curlFor(deps.config, { path: "/task/81/attempts", body: {}, proof: "signature" });
  const form = createForm(whichTask, curl, "seed");
  return {
    method: "GET",
    path: "/task/:id/attempts",
    operation: attemptsOperation,
    challenge: SIGNATURE_CHALLENGE,
    answer: async (exchange) => {
      const { caller, input } = await readSignedPath(deps, exchange, form);
      const reference = { applicationId: caller.application.id, id: input.id };
      const attempts = await taskAttempts(deps, reference);
      return attempts === undefined ? refuse("Unknown!") : succeed(attempts);
    },
  };
}

const delivered: FullAttemptView = {
  attempt: 1,
  outcome: "failed",
  charged: true,
  started_at: 1_626_418_779_000,
  finished_at: 1_626_418_779_120,
  service_id: "executor-1",
  error: {
    name: "CallbackError",
    message: "shop.example answered 503",
    stack: null,
    reason: "status_not_2xx",
  },
  fence: 1,
  coroutine_id: 6,
  receipt: null,
  autopsy: null,
  result: null,
  delivery: {
    url: "https://shop.example/callbacks?token=",
    address: "203.0.113.7",
    timings: { dns: 3.1, connect: 12.4, tls: 21.9, first_byte: 110.2, total: 110.8 },
    status: 503,
    request_headers: { "content-type": "application/json", signature: "[redacted]" },
    response_headers: { "content-type": "text/plain", "retry-after": "30" },
    response_body: "busy",
    response_truncated: false,
  },
};

const killed: FullAttemptView = {
  attempt: 1,
  outcome: "timed_out",
  charged: true,
  started_at: 1_626_418_779_000,
  finished_at: 1_626_418_784_030,
  service_id: "executor-1",
  error: {
    name: "JobError",
    message: "it was still running at its timeout",
    stack: null,
    reason: "timeout",
    fingerprint: "JobError timeout",
  },
  fence: 1,
  coroutine_id: 7,
  receipt: {
    killed: true,
    method: "thread",
    latency_ms: 21,
    stack: [{ file: "/srv/jobs/report.ts", line: 12, function: "sum" }],
    reason: "timeout",
    by: "deadline",
    at: 1_626_418_784_021,
  },
  autopsy: autopsyExample,
  result: null,
  delivery: null,
};

const attemptsOperation = operation({
  id: "getTaskAttempts",
  tag: "tasks",
  summary: "List the attempts of a task",
  description:
    "The newest 100 attempts of all lives, oldest first, with what each left behind. An attempt that was killed, crashed or was lost has a `receipt` of its death and an `autopsy`; beyond 4 MiB the autopsies of the oldest ones only say why. Of a callback `delivery` says what went over the wire. `POST /nsq/publish` delivers a failed one again. A body-bound GET has an empty body; a read does not use its nonce up.",
  proof: "signature",
  path: Type.Object({ id: taskId() }),
  data: attemptListSchema,
  examples: {
    failed: { code: 0, msg: "ok!", data: { attempts: [delivered] } },
    killed: { code: 0, msg: "ok!", data: { attempts: [killed] } },
    unknown: { code: 1, msg: "Unknown!", data: [] },
  },
  errors: ["Unauthorised", "Invalid", "Unavailable"],
});
