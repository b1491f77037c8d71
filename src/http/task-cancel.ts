// The route that cancels a task.
import { Type } from "@sinclair/typebox";
import { unauthorised } from "../core/authenticate.ts";
import { type CancelAnswer, cancelTask } from "../core/cancel-task.ts";
import { curlFor } from "./curl.ts";
import type { HttpDeps } from "./deps.ts";
import { refuse, succeed } from "./envelope.ts";
import { oneOf, operation } from "./operation.ts";
import type { Route } from "./route.ts";
import { readSignedChange, SIGNATURE_CHALLENGE } from "./signed.ts";
import { createTaskForm, whichTask } from "./task-reference.ts";

const PATH = "/task/cancel";
const EXAMPLE = { coroutine_id: 6, id: 18 };
/** How long a cancel waits for the proof of death. */
const WAIT_MS = 5_000;

/** `POST /task/cancel`. */
export function taskCancelRoute(deps: HttpDeps): Route {
  const curl = curlFor(deps.config, { path: PATH, body: { id: 18 }, proof: "signature" });
  const form = createTaskForm(curl);
  return {
    method: "POST",
    path: PATH,
    operation: cancelOperation,
    challenge: SIGNATURE_CHALLENGE,
    answer: async (exchange) => {
      const { caller, input } = await readSignedChange(deps, exchange, form);
      const { application, nonce } = caller;
      const change = {
        reference: { applicationId: application.id, ...input.key },
        ...input.place,
        ...(nonce !== undefined && { nonce }),
      };
      return answerOf(await cancelTask(deps, change, WAIT_MS));
    },
  };
}

function answerOf(answer: CancelAnswer): Response {
  switch (answer.kind) {
    case "unknown":
      return refuse("Unknown!");
    case "replayed":
      throw unauthorised();
    case "finished":
      return refuse(`the task is ${answer.status} already`, { status: answer.status });
    case "cancelled":
      return succeed({});
    case "killed": {
      const { method, latencyMs, remoteMayContinue } = answer;
      const proof = { killed: true, method, latency_ms: latencyMs };
      return succeed(remoteMayContinue ? { ...proof, remoteMayContinue } : proof, "Killed");
    }
    case "killing":
      return succeed({ killed: false, pending: true }, "Killing");
  }
}

const killed = Type.Object({
  killed: Type.Boolean(),
  method: oneOf(["abort", "thread", "process", "executor", "http-abort", "none"]),
  latency_ms: Type.Number(),
  remoteMayContinue: Type.Optional(
    Type.Boolean({ description: "The receiver of a callback may have heard it and go on." }),
  ),
});
const killing = Type.Object({ killed: Type.Boolean(), pending: Type.Boolean() });

const cancelOperation = operation({
  id: "cancelTask",
  tag: "tasks",
  summary: "Cancel a task",
  description:
    "A pending task never starts. A running one is killed; the answer waits up to 5 s for the proof, and the cancel goes on when it does not come in time. A success already reached wins. A body-bound request uses its nonce up, whatever it answers.",
  proof: "signature",
  body: { schema: whichTask, examples: { seed: EXAMPLE, byTaskNo: { taskNo: "taskNo82" } } },
  data: Type.Unsafe({ anyOf: [Type.Object({}), killed, killing] }),
  examples: {
    cancelled: { code: 0, msg: "ok!", data: {} },
    killed: {
      code: 0,
      msg: "Killed",
      data: { killed: true, method: "thread", latency_ms: 21 },
    },
    killing: { code: 0, msg: "Killing", data: { killed: false, pending: true } },
    aborted: {
      code: 0,
      msg: "Killed",
      data: { killed: true, method: "http-abort", latency_ms: 2, remoteMayContinue: true },
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
