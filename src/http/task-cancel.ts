// The route that cancels a task.
import { Type } from "@sinclair/typebox";
import { receiptView } from "../core/receipt-view.ts";
import { named } from "../core/views/named.ts";
import { receiptSchema } from "../core/views/receipt.ts";
import { type Shown, warningsField } from "../core/views/shapes.ts";
import { unauthorised } from "../use-cases/authenticate.ts";
import { type CancelAnswer, type CancelManner, cancelTask } from "../use-cases/cancel-task.ts";
import { curlFor } from "./curl.ts";
import type { HttpDeps } from "./deps.ts";
import { refuse, succeed, warned } from "./envelope.ts";
import { createForm, type Form, mapForm } from "./form.ts";
import { operation } from "./operation.ts";
import type { Route } from "./route.ts";
import { choice, whole } from "./schemas.ts";
import { readSignedChange, SIGNATURE_CHALLENGE } from "./signed.ts";
import { readWhich, WHICH, type WhichTask, whichTask } from "./task-reference.ts";

const PATH = "/task/cancel";
const EXAMPLE = { coroutine_id: 6, id: 18 };
/** For what ended before it could be told why. */
const CANCELLED = { reason: "cancelled", by: "application" } as const;
const DEFAULTS = { mode: "kill", waitMs: 5_000 } as const;

const cancelFields = named(
  "Cancel",
  Type.Object(
    {
      ...whichTask.properties,
      mode: Type.Optional(
        choice({
          of: ["kill", "graceful"],
          default: DEFAULTS.mode,
          description:
            "kill: the signal fires and the attempt is terminated at once. graceful: it may end by itself until shortly before the wait is over. A later kill ends a graceful wait.",
        }),
      ),
      waitMs: Type.Optional(
        whole({
          min: 0,
          max: 30_000,
          default: DEFAULTS.waitMs,
          description: "How long the answer waits for the proof that the attempt is dead.",
        }),
      ),
    },
    WHICH,
  ),
);

/** `POST /task/cancel`. */
export function taskCancelRoute(deps: HttpDeps): Route {
  const curl = curlFor(deps.config, { path: PATH, body: { id: 18 }, proof: "signature" });
  const form = createCancelForm(curl);
  return {
    method: "POST",
    path: PATH,
    operation: cancelOperation,
    challenge: SIGNATURE_CHALLENGE,
    answer: async (exchange) => {
      const { caller, input, warnings } = await readSignedChange(deps, exchange, form);
      const { application, nonce } = caller;
      const change = {
        reference: { applicationId: application.id, ...input.key },
        ...input.place,
        ...(nonce !== undefined && { nonce }),
      };
      return answerOf(await cancelTask(deps, change, input.manner), warnings);
    },
  };
}

type CancelForm = Form<WhichTask & { readonly manner: CancelManner }>;

function createCancelForm(curl: string): CancelForm {
  const form = createForm(cancelFields, curl, "seed");
  return mapForm(form, (input) => {
    const { mode = DEFAULTS.mode, waitMs = DEFAULTS.waitMs } = input;
    return { ...readWhich(input), manner: { mode, waitMs } };
  });
}

function answerOf(answer: CancelAnswer, warnings: readonly string[]): Response {
  switch (answer.kind) {
    case "unknown":
      return refuse("Unknown!");
    case "replayed":
      throw unauthorised({ check: "nonce used" });
    case "finished":
      return refuse(
        `the task is ${answer.status} already`,
        warned({ status: answer.status }, warnings),
      );
    case "cancelled":
      return succeed(warned({}, warnings));
    case "killed":
      return succeed(warned(receiptView({ ...CANCELLED, ...answer.receipt }), warnings), "Killed");
    case "killing":
      return succeed(warned(STILL_KILLING, warnings), "Killing");
  }
}

const more = { warnings: warningsField };
const cancelled = named("NeverStarted", Type.Object(more));
const killed = named("Killed", Type.Object({ ...receiptSchema.properties, ...more }));
const killing = named(
  "Killing",
  Type.Object({ killed: Type.Boolean(), pending: Type.Boolean(), ...more }),
);

const STILL_KILLING: Shown<typeof killing> = { killed: false, pending: true };

const cancelOperation = operation({
  id: "cancelTask",
  tag: "tasks",
  summary: "Cancel a task",
  description:
    "A `scheduled` or `queued` task never starts. A running one is killed, also one that only dies with its whole executor; the answer waits up to `waitMs` for the proof and carries it as a receipt. When it does not come in time the answer says `pending: true`, and the cancel goes on. A success already reached wins. A body-bound request uses its nonce up, whatever it answers.",
  proof: "signature",
  body: {
    schema: cancelFields,
    examples: {
      byTaskNo: { taskNo: "countdown-1" },
      seed: EXAMPLE,
      graceful: { taskNo: "countdown-1", mode: "graceful", waitMs: 10_000 },
    },
  },
  data: named("Cancelled", Type.Unsafe({ anyOf: [killed, killing, cancelled] })),
  examples: {
    cancelled: { code: 0, msg: "ok!", data: {} },
    killed: {
      code: 0,
      msg: "Killed",
      data: {
        killed: true,
        method: "thread",
        latency_ms: 21,
        stack: [{ file: "/jobs/report.ts", line: 12, function: "run" }],
        reason: "cancelled",
        by: "application",
        at: 1_790_000_000_000,
      },
    },
    killing: { code: 0, msg: "Killing", data: { killed: false, pending: true } },
    aborted: {
      code: 0,
      msg: "Killed",
      data: {
        killed: true,
        method: "http-abort",
        latency_ms: 2,
        stack: [],
        reason: "cancelled",
        by: "application",
        at: 1_790_000_000_000,
        remoteMayContinue: true,
      },
    },
    unknown: { code: 1, msg: "Unknown!", data: [] },
    finished: {
      code: 1,
      msg: "the task is succeeded already",
      data: { status: "succeeded" },
    },
  },
  errors: ["Unauthorised", "TooLarge", "Unsupported", "Invalid", "Unavailable"],
});
