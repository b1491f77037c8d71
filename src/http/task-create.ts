// The route that creates a task.
import { type TSchema, Type } from "@sinclair/typebox";
import { AppError, callersMessage } from "../core/errors.ts";
import { memberText } from "../core/json-source.ts";
import type { SubmitInput } from "../core/submit-input.ts";
import { createdTaskSchema } from "../core/views/created-task.ts";
import { named } from "../core/views/named.ts";
import { anyObject } from "../core/views/shapes.ts";
import { callbackContent } from "./callback-document.ts";
import { curlFor } from "./curl.ts";
import type { HttpDeps } from "./deps.ts";
import { succeed, warned } from "./envelope.ts";
import { createForm } from "./form.ts";
import { operation } from "./operation.ts";
import { RETRY_EXAMPLE, retryFields } from "./retry-fields.ts";
import type { Route } from "./route.ts";
import { content, moment, name, taskNo, timeoutMs } from "./schemas.ts";
import { readSigned, SIGNATURE_CHALLENGE } from "./signed.ts";

const PATH = "/task/create";
const utf8 = new TextDecoder();

/** A job that every installation has, long enough to be looked at. */
const countdownExample = {
  taskNo: "countdown-1",
  content: { class: "countdown", params: { from: 60 } },
  timeout: 90_000,
  name: "countdown",
};
const seedExample = {
  taskNo: "taskNo82",
  content: {
    class: "\\Serendipity\\Job\\Job\\SimpleJob",
    _params: { startDate: "2021-07-27 17:50:50", endDate: "2021-07-27 17:50:50" },
  },
  timeout: 60_000,
  name: "name",
  runtime: "2021-07-27 17:30:30",
};
const callbackExample = {
  taskNo: "order-1001-mail",
  content: { order: 1001, template: "shipped" },
  timeout: 5_000,
  name: "send mail",
};
const retryExample = { ...callbackExample, taskNo: "order-1002-mail", retry: RETRY_EXAMPLE };

const jobContent = named(
  "JobContent",
  Type.Object(
    {
      class: Type.String({ description: "The job's name or one of its aliases." }),
      // `_params` stays in words: generators make one name of both, twice.
      params: Type.Optional(
        anyObject("What it is given; `_params`, the name of the original API, is taken as well."),
      ),
    },
    { additionalProperties: true, description: "Names a job of the catalogue." },
  ),
);

/** A field that a create does not take would be read and dropped. */
const newTask = named(
  "NewTask",
  Type.Object({
    taskNo: taskNo(),
    name: name({ min: 1, max: 64, description: "Name of the task.", example: "name" }),
    content: content([jobContent, callbackContent], {
      description:
        "With `class` it names a job and gives it `_params` (or `params`); without, it is delivered to the linkUrl as the text that came. A number in a job's params must be one that a double keeps. At most 256 KiB as compact JSON.",
      example: countdownExample.content,
    }),
    timeout: timeoutMs(),
    runtime: Type.Optional(
      moment({
        description:
          "When it starts; at most 365 days ahead. None, null, an empty text, 0 or a past one means now. A time without an offset is one in APP_TIMEZONE, a date alone its midnight. Numbers below 1e11 are epoch seconds, all others milliseconds; milliseconds of more than a year ago are refused, as they are seconds with a digit too many. The same instant in another form is the same request.",
        example: "2021-07-27 17:30:30",
      }),
    ),
    retry: Type.Optional(
      retryFields(
        "When it is tried again. What is left out comes from the job, else the application.",
      ),
    ),
  } satisfies Record<Exclude<keyof SubmitInput, "contentText">, TSchema>),
);

/** `POST /task/create`. */
export function taskCreateRoute(deps: HttpDeps): Route {
  const curl = curlFor(deps.config, { path: PATH, body: countdownExample, proof: "signature" });
  const form = createForm(newTask, curl, "seed");
  return {
    method: "POST",
    path: PATH,
    operation: createOperation,
    challenge: SIGNATURE_CHALLENGE,
    answer: (exchange) =>
      sayingHowToRepeat(async () => {
        const { caller, input, body, warnings } = await readSigned(deps, exchange, form);
        const contentText = memberText(utf8.decode(body), "content");
        const task = contentText === undefined ? input : { ...input, contentText };
        return succeed(warned(await deps.submitter.submit(caller.application, task), warnings));
      }),
  };
}

/** Whatever was not available, whether the task is stored may not be known: the caller need not care. */
async function sayingHowToRepeat<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (thrown) {
    throw thrown instanceof AppError && thrown.code === "unavailable" ? repeatable(thrown) : thrown;
  }
}

function repeatable(error: AppError): AppError {
  const message = `${callersMessage(error)}; send it again, signed anew, with the same taskNo: that is harmless, also if this one is stored after all`;
  return new AppError(error.code, message, { ...error.details, forCallers: message, cause: error });
}

const createOperation = operation({
  id: "createTask",
  tag: "tasks",
  summary: "Create a task",
  description:
    "Answered only after commit. Repeating it with the same taskNo and the same request answers the same taskId; with another request it is refused, and `differs` names the fields.",
  proof: "signature",
  body: {
    schema: newTask,
    examples: {
      countdown: countdownExample,
      seed: seedExample,
      callback: callbackExample,
      ownRetries: retryExample,
    },
  },
  data: createdTaskSchema,
  examples: {
    created: { code: 0, msg: "ok!", data: { taskId: 81 } },
    later: {
      code: 0,
      msg: "ok!",
      data: {
        taskId: 82,
        runAt: 1_627_378_230_000,
        runAtText: "2021-07-27T17:30:30.000+08:00",
      },
    },
    noExecutor: {
      code: 0,
      msg: "ok!",
      data: {
        taskId: 83,
        warnings: [
          "no living executor has the job 'report'; last seen on web-2-1f0c9a77 at 2021-07-27T17:29:58.000+08:00",
        ],
      },
    },
    misspelt: {
      code: 0,
      msg: "ok!",
      data: {
        taskId: 84,
        warnings: ["runTime is not known and was ignored; did you mean 'runtime'?"],
      },
    },
    otherRequest: {
      code: 1,
      msg: "请勿重复提交!",
      data: { taskId: 81, differs: ["content", "runtime"] },
    },
    unknownJob: {
      code: 1,
      msg: "no job named 'send-mail'; did you mean 'send-email'?",
      data: [],
    },
  },
  errors: ["Unauthorised", "TooLarge", "Unsupported", "Invalid", "Unavailable"],
});
