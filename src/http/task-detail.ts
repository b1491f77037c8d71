// The routes that show a task: what is known of it, and where it is right now when it runs.
import { type TaskDetailView, taskDetailSchema } from "../core/views/task-detail.ts";
import { taskDetail } from "../use-cases/task-detail.ts";
import { curlFor } from "./curl.ts";
import type { HttpDeps } from "./deps.ts";
import { refuse, succeed, warned } from "./envelope.ts";
import { operation } from "./operation.ts";
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

const detailExample: TaskDetailView = {
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
  data: taskDetailSchema,
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
