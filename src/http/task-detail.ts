// The routes that show a task: what is known of it, and where it is right now when it runs.
import { Type } from "@sinclair/typebox";
import { named } from "../core/views/named.ts";
import { anyObject, int64, nullable, oneOf, warningsField } from "../core/views/shapes.ts";
import { taskDetail } from "../use-cases/task-detail.ts";
import { curlFor } from "./curl.ts";
import type { HttpDeps } from "./deps.ts";
import { refuse, succeed, warned } from "./envelope.ts";
import { operation } from "./operation.ts";
import { waitingPointSchema } from "./receipt.ts";
import type { Route } from "./route.ts";
import { readSigned, readSignedQuery, SIGNATURE_CHALLENGE, type SignedInput } from "./signed.ts";
import { createTaskForm, type WhichTask, whichTask } from "./task-reference.ts";

const PATH = "/task/detail";
const EXAMPLE = { id: 81 };

/** `GET /task/detail?id=…` and `POST /task/detail`. */
export function taskDetailRoutes(deps: HttpDeps): Route[] {
  const curl = curlFor(deps.config, { path: PATH, body: EXAMPLE, proof: "signature" });
  const form = createTaskForm(curl);
  const route = { path: PATH, challenge: SIGNATURE_CHALLENGE };
  return [
    {
      ...route,
      method: "GET",
      operation: getOperation,
      answer: async (exchange) => show(deps, await readSignedQuery(deps, exchange, form)),
    },
    {
      ...route,
      method: "POST",
      operation: postOperation,
      answer: async (exchange) => show(deps, await readSigned(deps, exchange, form)),
    },
  ];
}

async function show(deps: HttpDeps, asked: SignedInput<WhichTask>): Promise<Response> {
  const { caller, input, warnings } = asked;
  const reference = { applicationId: caller.application.id, ...input.key };
  const { timezone, leaseMs } = deps.config;
  const asking = { ...deps, timezone, silentMs: 2 * leaseMs };
  const detail = await taskDetail(asking, { ...reference, ...input.place });
  return detail === undefined ? refuse("Unknown!") : succeed(warned(detail, warnings));
}

const STATUSES = ["scheduled", "queued", "running", "succeeded", "failed", "cancelled"] as const;
const OUTCOMES = [
  "succeeded",
  "failed",
  "timed_out",
  "cancelled",
  "crashed",
  "lost",
  "interrupted",
] as const;

const errorFields = Type.Optional(
  anyObject("What it carried besides, such as code and status; secrets masked."),
);

const errorView = nullable(
  named(
    "AttemptError",
    Type.Object({
      name: Type.String(),
      message: Type.String(),
      stack: nullable(Type.String()),
      reason: Type.Optional(Type.String({ description: "A stable word for programs." })),
      fields: errorFields,
      errors: Type.Optional(
        Type.Array(
          Type.Object({ name: Type.String(), message: Type.String(), fields: errorFields }),
          { description: "Of an aggregate: the first 10." },
        ),
      ),
      fingerprint: Type.Optional(
        Type.String({
          description:
            "Equal for failures of one kind: name and place for a job, host and status or error code for a callback.",
          example: "shop.example:443 503",
        }),
      ),
    }),
  ),
);

/** Of an attempt, wherever one is shown. */
export const attemptFields = {
  attempt: Type.Integer({ description: "Its number within its life, from 1." }),
  outcome: nullable(Type.String({ enum: [...OUTCOMES, null], description: "Null while it runs." })),
  charged: Type.Boolean({ description: "Counts against the budget of attempts." }),
  started_at: int64("Epoch ms."),
  finished_at: nullable(int64("Epoch ms.")),
  service_id: Type.String(),
  error: errorView,
};
const attemptView = named("Attempt", Type.Object(attemptFields));

const detailView = named(
  "Task",
  Type.Object({
    state: {
      ...oneOf(["starting", "waiting", ...STATUSES]),
      description:
        "While it runs `starting` (no line of it has run yet), `running` (on the processor) or `waiting` (suspended in an await); otherwise equal to `status`.",
    },
    trace_list: Type.String({
      description:
        "JSON text of frames {file, line, function, class?, type?, args?}, innermost first; type is `->` of an instance, `::` static. While the job waits in `ctx.sleep` or `ctx.fetch`, that call comes first, with the line that made it and its args: the milliseconds of a sleep, nothing of a fetch.",
    }),
    frames_omitted: Type.Integer({
      description:
        "How many frames of a deep stack are left out between the innermost 250 and the outermost 50.",
    }),
    executed_file_name: nullable(Type.String()),
    executed_function_name: nullable(
      Type.String({
        description: "Of the innermost frame: the enclosing function, or the call it waits in.",
      }),
    ),
    executed_function_line: nullable(Type.Integer()),
    waiting_points: Type.Array(waitingPointSchema, {
      description:
        "Where its async calls wait, equal ones counted together, most first; empty unless there are several places.",
    }),
    vars: Type.Unsafe({
      anyOf: [anyObject(), Type.Array(anyObject(), { maxItems: 0 })],
      description: "What the job gave to ctx.watch; [] when empty.",
    }),
    round: Type.Integer({ description: "How many times an await of the job came back." }),
    elapsed: Type.Number({
      description: "How long the newest attempt of this life has run, or ran, in ms; 0 before it.",
    }),
    id: int64(),
    taskNo: Type.String(),
    name: Type.String(),
    status: {
      ...oneOf(STATUSES),
      description:
        "`scheduled`: due later, also for a retry. `queued`: due, waiting for an executor.",
    },
    attempt: Type.Integer({ description: "Attempts of this life, charged or not." }),
    maxAttempts: Type.Integer({ description: "The budget of charged attempts." }),
    coroutine_id: nullable(
      int64(
        "Of the newest attempt of this life: its number among those of its lane in that executor.",
      ),
    ),
    service_id: nullable(
      Type.String({ description: "The executor of that attempt; null before the first one." }),
    ),
    progress: nullable(
      named("TaskProgress", Type.Object({ percent: Type.Number(), text: nullable(Type.String()) })),
    ),
    freshness_ms: nullable(int64("How old the place is at most, in ms; null when there is none.")),
    source: {
      ...oneOf(["live", "checkpoint", "last-known"]),
      description:
        "`live`: asked just now. `checkpoint`: it runs, but its executor cannot be asked. `last-known`: where it ended.",
    },
    moving: Type.Boolean({ description: "It went on while it was looked at." }),
    cpu_ms: nullable(Type.Number({ description: "Processor time of the attempt." })),
    heap_bytes: nullable(Type.Number({ description: "Of its job worker." })),
    rss_bytes: nullable(Type.Number({ description: "Of the process it runs in." })),
    memory_age_ms: nullable(Type.Number({ description: "How old the figures of memory are." })),
    event_loop_lag_ms: nullable(Type.Number()),
    lane: oneOf(["job", "callback"]),
    job: nullable(Type.String({ description: "Its name in the catalogue; null for a callback." })),
    params: Type.Unsafe({
      description: "Of a job, values under secret keys masked; null for a callback.",
    }),
    content: Type.Unsafe({
      description: "Of a callback, values under secret keys masked; null for a job.",
    }),
    content_cut: Type.Boolean({
      description: "`params` or `content` is only the first 64 KiB of its JSON, as text.",
    }),
    created_at: int64("Epoch ms."),
    created_at_text: Type.String({ description: "ISO 8601 in the zone of the platform." }),
    run_at: int64("When it is due, or was before it ran last; epoch ms."),
    run_at_text: Type.String({ description: "ISO 8601 in the zone of the platform." }),
    next_retry_at: nullable(int64("Of a task that waits for a further attempt; epoch ms.")),
    finished_at: nullable(int64("Epoch ms.")),
    timeout_ms: Type.Integer({ description: "What one attempt may take." }),
    waiting_because: nullable(
      Type.Object(
        {
          code: Type.String({
            description:
              "`scheduled`, `retry_backoff`, `held`, `no_executor` or `due`; later releases may know more.",
          }),
          text: Type.String(),
        },
        { description: "Why a `scheduled` or `queued` task does not run yet; null for any other." },
      ),
    ),
    result: Type.Unsafe({ description: "What the job returned; null before." }),
    error: errorView,
    attempts: Type.Array(attemptView, { description: "The newest of all lives, oldest first." }),
    warnings: warningsField,
  }),
);

const detailExample = {
  state: "waiting",
  trace_list:
    '[{"file":"/srv/jobs/simple-job.ts","line":37,"function":"sleep","args":[20]},{"file":"/srv/jobs/simple-job.ts","line":37,"function":"handle","class":"SimpleJob","type":"->"}]',
  executed_file_name: "/srv/jobs/simple-job.ts",
  executed_function_name: "sleep",
  executed_function_line: 37,
  frames_omitted: 0,
  waiting_points: [],
  vars: [],
  round: 509,
  elapsed: 9805,
  id: 81,
  taskNo: "taskNo82",
  name: "name",
  status: "running",
  attempt: 1,
  maxAttempts: 6,
  coroutine_id: 6,
  service_id: "executor-1",
  progress: { percent: 40, text: "day 2 of 5" },
  freshness_ms: 3,
  source: "live",
  moving: false,
  cpu_ms: 120,
  heap_bytes: 4_193_280,
  rss_bytes: 118_489_088,
  memory_age_ms: 2,
  event_loop_lag_ms: 2,
  lane: "job",
  job: "simple-job",
  params: { startDate: "2021-07-27 17:50:50", endDate: "2021-07-27 17:50:50" },
  content: null,
  content_cut: false,
  created_at: 1_626_418_778_000,
  created_at_text: "2021-07-16T14:59:38.000+08:00",
  run_at: 1_626_418_779_000,
  run_at_text: "2021-07-16T14:59:39.000+08:00",
  next_retry_at: null,
  finished_at: null,
  timeout_ms: 60_000,
  waiting_because: null,
  result: null,
  error: null,
  attempts: [
    {
      attempt: 1,
      outcome: null,
      charged: false,
      started_at: 1_626_418_779_000,
      finished_at: null,
      service_id: "executor-1",
      error: null,
    },
  ],
};

const parts = {
  tag: "tasks",
  summary: "Show a task and where it is",
  description:
    "Works from any api process for a task on any executor. `state` while running: `waiting` (suspended in an await) or `running`; else equal to `status`. Give id or taskNo: `GET /task/detail?taskNo=countdown-1`. A body-bound GET has an empty body; a read does not use its nonce up.",
  proof: "signature",
  data: detailView,
  examples: {
    running: { code: 0, msg: "ok!", data: detailExample },
    unknown: { code: 1, msg: "Unknown!", data: [] },
  },
} as const;

const getOperation = operation({
  ...parts,
  id: "getTaskDetail",
  query: whichTask,
  errors: ["Unauthorised", "Invalid", "Unavailable"],
});

const postOperation = operation({
  ...parts,
  id: "postTaskDetail",
  body: { schema: whichTask, examples: { byTaskNo: { taskNo: "countdown-1" }, byId: EXAMPLE } },
  errors: ["Unauthorised", "TooLarge", "Unsupported", "Invalid", "Unavailable"],
});
