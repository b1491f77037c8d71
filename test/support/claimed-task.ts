// Claimed tasks for job lanes that have no store; runs on either runtime.
import type { Logger } from "../../src/core/logger.ts";
import { linearRetry } from "../../src/core/retry-policy.ts";
import type { ClaimedTask } from "../../src/core/task.ts";

export const silent: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

let tasks = 0;

/** A claimed task that calls `job` with `params`. */
export function claimed(job: string, params: unknown, timeoutMs = 30_000): ClaimedTask {
  tasks += 1;
  return {
    taskId: tasks,
    attemptId: tasks,
    fence: 1,
    taskNo: `no-${tasks}`,
    name: "test",
    lane: "job",
    job,
    content: JSON.stringify({ class: job, params }),
    timeoutMs,
    life: 1,
    webhookTag: null,
    attempt: 1,
    charged: 0,
    deaths: 0,
    interruptions: 0,
    retry: linearRetry(5, 5),
    coroutineId: tasks,
    application: {
      id: 1,
      appKey: "key",
      linkUrl: "http://127.0.0.1",
      secretSealed: "",
      callbackSecretSealed: null,
      previous: null,
      successMatch: "body",
    },
  };
}
