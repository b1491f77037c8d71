// The field `retry` of applications and tasks.
import { type TProperties, Type } from "@sinclair/typebox";
import { RETRY_STRATEGIES } from "../core/task.ts";
import { choice, flag, objectOf, whole } from "./schemas.ts";

/** All of its fields may be left out; `description` says where those come from. */
export function retryFields(description: string) {
  return objectOf(fields, { description, example: RETRY_EXAMPLE });
}

export const RETRY_EXAMPLE = {
  strategy: "exponential",
  step: 5,
  max: 12,
  maxDelay: 900,
  jitter: true,
};

const fields = {
  strategy: Type.Optional(
    choice({
      of: RETRY_STRATEGIES,
      description:
        "The delay after the n-th failure: linear step × n, fixed step, exponential step × 2^(n−1).",
    }),
  ),
  step: Type.Optional(whole({ min: 0, max: 3600, description: "Seconds." })),
  max: Type.Optional(whole({ min: 0, max: 100, description: "Retries after a failure." })),
  maxDelay: Type.Optional(
    whole({ min: 0, max: 86_400, description: "Seconds; no delay is longer. Default 3600." }),
  ),
  jitter: Type.Optional(
    flag({ description: "Full jitter: each delay is drawn between 0 and what the strategy says." }),
  ),
  retryOnTimeout: Type.Optional(
    flag({ description: "False: an attempt that timed out fails the task." }),
  ),
} satisfies TProperties;
