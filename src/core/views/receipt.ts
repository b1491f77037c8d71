// The view of the proof of a kill: in the response to a cancel, and on attempts.
import { Type } from "@sinclair/typebox";
import { KILL_METHODS, STOPPERS } from "../attempt.ts";
import { named } from "./named.ts";
import { nullable, oneOf, oneOfOrNull, type Shown } from "./shapes.ts";
import { framesSchema } from "./stack.ts";

export const receiptSchema = named(
  "Receipt",
  Type.Object({
    killed: Type.Boolean({ description: "True only when the death is proven." }),
    method: oneOf(KILL_METHODS),
    latency_ms: Type.Number({
      description:
        "From the request, or the deadline, to the proof of death; 0 when only its lease ran out, which proves nothing.",
    }),
    remoteMayContinue: Type.Optional(
      Type.Boolean({ description: "The receiver of a callback may have heard it and go on." }),
    ),
    stack: framesSchema("Where it was, innermost first."),
    reason: nullable(Type.String({ example: "timeout" })),
    by: oneOfOrNull(STOPPERS),
    at: nullable(Type.Number({ description: "Epoch ms of the proof." })),
  }),
);

export type ReceiptView = Shown<typeof receiptSchema>;
