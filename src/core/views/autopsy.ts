// The view of an autopsy: what is known of an attempt that did not end by itself.
import { Type } from "@sinclair/typebox";
import { LIVE_STATES, PLACE_SOURCES } from "../attempt.ts";
import { named } from "./named.ts";
import { anyObject, nullable, oneOf, oneOfOrNull, type Shown } from "./shapes.ts";
import { frameFields, waitingPointsSchema } from "./stack.ts";
import { traceEventSchema } from "./trace-event.ts";

const figure = (description: string) => nullable(Type.Number({ description }));
const text = (description: string) => nullable(Type.String({ description }));

const lines = Type.Object({ first: Type.Integer(), lines: Type.Array(Type.String()) });
const frameSchema = named(
  "AutopsyFrame",
  Type.Object({
    ...frameFields,
    source: nullable({
      ...lines,
      description: "Five lines around it, as they ran; null where they are not known.",
    }),
  }),
);

export const autopsySchema = named(
  "Autopsy",
  Type.Object(
    {
      why: Type.Object({
        reason: Type.String({ example: "timeout" }),
        message: nullable(Type.String()),
        by: nullable(Type.String()),
      }),
      source: oneOf(
        PLACE_SOURCES,
        "How the place is known. `live`: read from its live stack. `last-call`: its last call of ctx. `memory`: what its executor's death left on the machine. `checkpoint`: noted while it ran. `none`: not at all.",
      ),
      age_ms: figure("How old the place was when the attempt ended."),
      checkpoint_age_ms: figure(
        "Of a lost attempt: how old its vars, progress and figures were when its executor died.",
      ),
      state: oneOfOrNull(LIVE_STATES),
      frames: Type.Array(frameSchema, { description: "Innermost first." }),
      waiting_points: waitingPointsSchema(),
      vars: nullable(anyObject("What ctx.watch was given last.")),
      progress: nullable(
        Type.Object({ percent: Type.Number(), text: Type.Optional(Type.String()) }),
      ),
      events: Type.Array(traceEventSchema, { description: "Its last 200." }),
      output: Type.String({ description: "The last 8 KiB of what it logged and printed." }),
      cpu_ms: figure("Processor time of the attempt."),
      heap_bytes: figure("Of its job worker."),
      rss_bytes: figure("Of the process it ran in."),
      memory_age_ms: figure("How old these two are."),
      executor: Type.String(),
      runtime: text("Bun or Deno."),
      runtime_version: text("Of the runtime."),
      source_hash: text("SHA-256 of the job's file as it ran."),
    },
    { description: "Of an attempt that did not end by itself." },
  ),
);

export type Autopsy = Shown<typeof autopsySchema>;

/** A frame with the lines around it. */
export type FrameWithSource = Shown<typeof frameSchema>;

export const autopsyExample: Autopsy = {
  why: { reason: "timeout", message: "it was still running at its timeout", by: "deadline" },
  source: "live",
  age_ms: 12,
  checkpoint_age_ms: null,
  state: "running",
  frames: [
    {
      file: "/srv/jobs/report.ts",
      line: 12,
      function: "sum",
      source: {
        first: 10,
        lines: ["  let total = 0;", "  for (;;) {", "    total += 1;", "  }", "  return total;"],
      },
    },
  ],
  waiting_points: [],
  vars: { page: 3 },
  progress: { percent: 40 },
  events: [{ seq: 1, at: 1_626_418_779_001, type: "state", data: { state: "running" } }],
  output: "page 3 of 7\n",
  cpu_ms: 4_980,
  heap_bytes: 4_193_280,
  rss_bytes: 118_489_088,
  memory_age_ms: 310,
  executor: "executor-1",
  runtime: "Bun",
  runtime_version: "1.4.5",
  source_hash: "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
};
