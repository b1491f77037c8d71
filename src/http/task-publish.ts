// The route that rings for a task by hand, under the name the original API gave it.
import { Type } from "@sinclair/typebox";
import { named } from "../core/views/named.ts";
import { warningsField } from "../core/views/shapes.ts";
import { unauthorised } from "../use-cases/authenticate.ts";
import { type RedeliverAnswer, redeliverTask } from "../use-cases/redeliver-task.ts";
import { curlFor } from "./curl.ts";
import type { HttpDeps } from "./deps.ts";
import { refuse, succeed, warned } from "./envelope.ts";
import { createForm } from "./form.ts";
import { operation } from "./operation.ts";
import type { Route } from "./route.ts";
import { flag, taskId } from "./schemas.ts";
import { readSignedChange, SIGNATURE_CHALLENGE } from "./signed.ts";

const PATH = "/nsq/publish";
const EXAMPLE = { task_id: 1 };
const TAKEN = "scheduled, queued, failed and cancelled ones are taken";
const TAKEN_BY_FORCE = "scheduled, queued, failed, cancelled and succeeded ones are taken";

const publishedTask = named(
  "Publish",
  Type.Object({
    task_id: taskId(),
    force: Type.Optional(
      flag({ description: "A task that has succeeded begins a new life too.", default: false }),
    ),
  }),
);

/** `POST /nsq/publish`. */
export function taskPublishRoute(deps: HttpDeps): Route {
  const curl = curlFor(deps.config, { path: PATH, body: EXAMPLE, proof: "signature" });
  const form = createForm(publishedTask, curl, "seed");
  return {
    method: "POST",
    path: PATH,
    operation: publishOperation,
    challenge: SIGNATURE_CHALLENGE,
    answer: async (exchange) => {
      const { caller, input, warnings } = await readSignedChange(deps, exchange, form);
      const { application, nonce } = caller;
      const change = {
        reference: { applicationId: application.id, id: input.task_id },
        ...(nonce !== undefined && { nonce }),
      };
      const { force = false } = input;
      return answerOf(await redeliverTask(deps, change, force), { force, warnings });
    },
  };
}

function answerOf(
  answer: RedeliverAnswer,
  { force, warnings }: { readonly force: boolean; readonly warnings: readonly string[] },
): Response {
  switch (answer.kind) {
    case "unknown":
      return refuse("Unknown!");
    case "replayed":
      throw unauthorised({ check: "nonce used" });
    case "refused":
      return refuse(
        `the task is ${answer.status}; ${force ? TAKEN_BY_FORCE : TAKEN}`,
        warned({ status: answer.status }, warnings),
      );
    case "rung":
      return succeed(warned({}, warnings));
  }
}

const publishOperation = operation({
  id: "publishTask",
  tag: "tasks",
  summary: "Ring for a task again",
  description:
    "A `scheduled` or `queued` task: its doorbell is rung again. A failed or cancelled one: queued again, as a new life with its own budget of attempts; with `force` also a succeeded one. It starts only when nothing of its last attempt runs any more. A body-bound request uses its nonce up, whatever it answers.",
  proof: "signature",
  body: { schema: publishedTask, examples: { seed: EXAMPLE, again: { ...EXAMPLE, force: true } } },
  data: named("Published", Type.Object({ warnings: warningsField })),
  examples: {
    rung: { code: 0, msg: "ok!", data: {} },
    unknown: { code: 1, msg: "Unknown!", data: [] },
    refused: {
      code: 1,
      msg: "the task is running; scheduled, queued, failed and cancelled ones are taken",
      data: { status: "running" },
    },
  },
  errors: ["Unauthorised", "TooLarge", "Unsupported", "Invalid", "Unavailable"],
});
