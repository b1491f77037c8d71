// Views of an attempt: how it ended, and all that is kept of it.
import { Type } from "@sinclair/typebox";
import { OUTCOMES } from "../attempt.ts";
import { autopsySchema } from "./autopsy.ts";
import { deliverySchema } from "./delivery-log.ts";
import { named } from "./named.ts";
import { receiptSchema } from "./receipt.ts";
import { anyObject, int64, nullable, oneOfOrNull, type Shown } from "./shapes.ts";

const errorFields = Type.Optional(
  anyObject("What it carried besides, such as code and status; secrets masked."),
);

const errorSchema = named(
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
);

export type ErrorView = Shown<typeof errorSchema>;

export const errorOrNull = nullable(errorSchema);

const attemptFields = {
  attempt: Type.Integer({ description: "Its number within its life, from 1." }),
  outcome: oneOfOrNull(OUTCOMES, "Null while it runs."),
  charged: Type.Boolean({ description: "Counts against the budget of attempts." }),
  started_at: int64("Epoch ms."),
  finished_at: nullable(int64("Epoch ms.")),
  service_id: Type.String(),
  error: errorOrNull,
};

export const attemptSchema = named("Attempt", Type.Object(attemptFields));

export type AttemptView = Shown<typeof attemptSchema>;

const fullAttemptSchema = named(
  "FullAttempt",
  Type.Object({
    ...attemptFields,
    fence: Type.Integer({
      description: "Its number over all lives of the task: the ids of its events begin with it.",
    }),
    coroutine_id: int64(),
    receipt: nullable(receiptSchema),
    autopsy: nullable(autopsySchema),
    result: Type.Unsafe({ description: "What the job returned; null without." }),
    delivery: nullable(deliverySchema),
  }),
);

/** An attempt with all that is kept of it. */
export type FullAttemptView = Shown<typeof fullAttemptSchema>;

export const attemptListSchema = named(
  "AttemptList",
  Type.Object({ attempts: Type.Array(fullAttemptSchema) }),
);

export type AttemptListView = Shown<typeof attemptListSchema>;
