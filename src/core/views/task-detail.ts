// The view of a task: what is known of it, and where it is right now when it runs.
import { Type } from "@sinclair/typebox";
import { LANES, SHOWN_STATUSES } from "../task.ts";
import { attemptSchema, errorOrNull } from "./attempt.ts";
import { named } from "./named.ts";
import {
  anyObject,
  int64,
  nullable,
  oneOf,
  type Shown,
  type ShownFields,
  warningsField,
  word,
} from "./shapes.ts";
import { waitingPointsSchema } from "./stack.ts";

const placeFields = {
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
  waiting_points: waitingPointsSchema(
    "Where its async calls wait, equal ones counted together, most first; empty unless there are several places.",
  ),
  vars: Type.Unsafe<Record<string, unknown> | never[]>({
    anyOf: [anyObject(), Type.Array(anyObject(), { maxItems: 0 })],
    description: "What the job gave to ctx.watch; [] when empty.",
  }),
  round: Type.Integer({ description: "How many times an await of the job came back." }),
  elapsed: Type.Number({
    description: "How long the newest attempt of this life has run, or ran, in ms; 0 before it.",
  }),
};

/** Where it is, or where it was at its end. */
export type TaskPlace = ShownFields<typeof placeFields>;

const figureFields = {
  progress: nullable(
    named("TaskProgress", Type.Object({ percent: Type.Number(), text: nullable(Type.String()) })),
  ),
  freshness_ms: nullable(int64("How old the place is at most, in ms; null when there is none.")),
  source: oneOf(
    ["live", "checkpoint", "last-known"],
    "`live`: asked just now. `checkpoint`: it runs, but its executor cannot be asked. `last-known`: where it ended.",
  ),
  moving: Type.Boolean({ description: "It went on while it was looked at." }),
  cpu_ms: nullable(Type.Number({ description: "Processor time of the attempt." })),
  heap_bytes: nullable(Type.Number({ description: "Of its job worker." })),
  rss_bytes: nullable(Type.Number({ description: "Of the process it runs in." })),
  memory_age_ms: nullable(Type.Number({ description: "How old the figures of memory are." })),
  event_loop_lag_ms: nullable(Type.Number()),
};

/** How it goes on, how old that is, and what it uses up; null where the runtime cannot tell. */
export type TaskFigures = ShownFields<typeof figureFields>;

const factFields = {
  lane: oneOf(LANES),
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
};

/** What it was asked for, and when it is to run. */
export type TaskFacts = ShownFields<typeof factFields>;

type WaitingCode = "scheduled" | "retry_backoff" | "held" | "no_executor" | "due";

const waitingReasonSchema = Type.Object(
  {
    code: word<WaitingCode>(
      "`scheduled`, `retry_backoff`, `held`, `no_executor` or `due`; later releases may know more.",
    ),
    text: Type.String(),
  },
  { description: "Why a `scheduled` or `queued` task does not run yet; null for any other." },
);

export type WaitingReason = Shown<typeof waitingReasonSchema>;

export const taskDetailSchema = named(
  "Task",
  Type.Object({
    state: oneOf(
      ["starting", "waiting", ...SHOWN_STATUSES],
      "While it runs `starting` (no line of it has run yet), `running` (on the processor) or `waiting` (suspended in an await); otherwise equal to `status`.",
    ),
    ...placeFields,
    id: int64(),
    taskNo: Type.String(),
    name: Type.String(),
    status: oneOf(
      SHOWN_STATUSES,
      "`scheduled`: due later, also for a retry. `queued`: due, waiting for an executor.",
    ),
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
    ...figureFields,
    ...factFields,
    waiting_because: nullable(waitingReasonSchema),
    result: Type.Unsafe({ description: "What the job returned; null before." }),
    error: errorOrNull,
    attempts: Type.Array(attemptSchema, { description: "The newest of all lives, oldest first." }),
    warnings: warningsField,
  }),
);

export type TaskDetailView = Shown<typeof taskDetailSchema>;
