// The task that the bench creates over and over, and the job it calls.
import type { JobDefinition } from "../src/core/job.ts";

/** The catalogue's row of `jobs/noop.ts`, for servers that have no executor. */
export const NOOP: JobDefinition = {
  name: "noop",
  aliases: [],
  params: {
    type: "object",
    properties: { order: { type: "integer" }, template: { type: "string", maxLength: 100 } },
    required: ["order", "template"],
  },
  timeoutMs: null,
  retry: null,
  isolation: "warm",
  sourceHash: "00",
  untraced: [],
};

export const PARAMS = { order: 1001, template: "shipped" };

/** The body of a create. */
export function createBody(taskNo: string) {
  return { taskNo, name: "bench", content: { class: NOOP.name, params: PARAMS }, timeout: 60_000 };
}
