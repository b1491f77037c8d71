// How the proof of a kill is shown, in the response to a cancel and on attempts.
import { Type } from "@sinclair/typebox";
import type { KillReceipt } from "../core/attempt.ts";
import { named } from "../core/views/named.ts";
import { nullable, oneOf } from "../core/views/shapes.ts";

/** Times are in ms; what an attempt of an older version did not keep is null. */
export function receiptView(receipt: KillReceipt) {
  const { killed, method, latencyMs, stack = [], remoteMayContinue } = receipt;
  const { reason = null, by = null, at = null } = receipt;
  const view = { killed, method, latency_ms: latencyMs, stack, reason, by, at };
  return remoteMayContinue ? { ...view, remoteMayContinue } : view;
}

export const frameFields = {
  file: Type.String(),
  line: Type.Integer(),
  function: Type.String({ description: "The enclosing one, `(anonymous)` without a name." }),
  class: Type.Optional(Type.String()),
  type: Type.Optional(
    Type.String({
      enum: ["->", "::"],
      description: "With a class, where it is known: of an instance, or static.",
    }),
  ),
};

const frameSchema = named("Frame", Type.Object(frameFields));

/** Async calls that wait at one place. */
export const waitingPointSchema = named(
  "WaitingPoint",
  Type.Object({ count: Type.Integer(), frames: Type.Array(frameSchema) }),
);

export const receiptSchema = named(
  "Receipt",
  Type.Object({
    killed: Type.Boolean({ description: "True only when the death is proven." }),
    method: oneOf(["abort", "thread", "process", "executor", "http-abort", "none"]),
    latency_ms: Type.Number({
      description:
        "From the request, or the deadline, to the proof of death; 0 when only its lease ran out, which proves nothing.",
    }),
    remoteMayContinue: Type.Optional(
      Type.Boolean({ description: "The receiver of a callback may have heard it and go on." }),
    ),
    stack: Type.Array(frameSchema, { description: "Where it was, innermost first." }),
    reason: nullable(Type.String({ example: "timeout" })),
    by: nullable(Type.String({ enum: ["deadline", "application", "executor", "job", null] })),
    at: nullable(Type.Number({ description: "Epoch ms of the proof." })),
  }),
);
