// The view of whether a process should get requests.
import { Type } from "@sinclair/typebox";
import { named } from "./named.ts";
import { int64, oneOf, type Shown } from "./shapes.ts";

const executorSchema = Type.Object({
  service_id: Type.String(),
  seen_ms_ago: int64("Since the last sign of its main thread."),
  lanes_seen_ms_ago: Type.Object(
    { job: age(), callback: age() },
    { description: "Since the last sign of the thread of each lane; null: none yet." },
  ),
  clock_ahead_ms: age("How far its clock is ahead of the database's; null: unknown."),
});

export type ShownExecutor = Shown<typeof executorSchema>;

export const readinessSchema = named(
  "Readiness",
  Type.Object({
    status: oneOf(["ready", "degraded", "unavailable"]),
    down: Type.Array(Type.String(), { description: "The checks that are not up." }),
    checks: Type.Unsafe<Record<string, string>>({
      type: "object",
      additionalProperties: { type: "string" },
      description: "By name: `up`, or what is wrong with it.",
    }),
    executors: Type.Optional(
      Type.Array(executorSchema, {
        description: "Those that live; absent in a process that only executes.",
      }),
    ),
  }),
);

export type ReadinessView = Shown<typeof readinessSchema>;

function age(description?: string) {
  return Type.Unsafe<number | null>({
    type: "integer",
    format: "int64",
    nullable: true,
    ...(description && { description }),
  });
}
