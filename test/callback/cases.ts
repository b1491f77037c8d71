// How each kind of answer is judged, as a table that Bun and Deno share.

import { type CallbackLaneOptions, createCallbackLane } from "../../src/callback/callback-lane.ts";
import type { FailureReason } from "../../src/callback/failures.ts";
import type { AttemptLane, Outcome } from "../../src/core/attempt.ts";
import { linearRetry } from "../../src/core/retry-policy.ts";
import type { ClaimedApplication, ClaimedTask } from "../../src/core/task.ts";

export interface AnswerCase {
  readonly path: string;
  readonly outcome: Outcome;
  readonly reason?: FailureReason;
  /** Default: long enough never to matter. */
  readonly timeoutMs?: number;
}

export const answerCases: readonly AnswerCase[] = [
  { path: "/success", outcome: "succeeded" },
  { path: "/success?token=hidden", outcome: "succeeded" },
  { path: "/spaced", outcome: "succeeded" },
  { path: "/created", outcome: "succeeded" },
  { path: "/early-hints", outcome: "succeeded" },
  { path: "/until-close", outcome: "succeeded" },
  { path: "/chunked", outcome: "succeeded" },
  { path: "/just-fits", outcome: "succeeded" },
  { path: "/wrong-body", outcome: "failed", reason: "body_not_success" },
  { path: "/capitals", outcome: "failed", reason: "body_not_success" },
  { path: "/quoted", outcome: "failed", reason: "body_not_success" },
  { path: "/no-content", outcome: "failed", reason: "body_not_success" },
  { path: "/error", outcome: "failed", reason: "status_not_2xx" },
  { path: "/upgrade", outcome: "failed", reason: "status_not_2xx" },
  { path: "/redirect", outcome: "failed", reason: "redirect" },
  { path: "/not-http", outcome: "failed", reason: "not_http" },
  { path: "/endless-head", outcome: "failed", reason: "response_too_large" },
  { path: "/hang-up", outcome: "failed", reason: "connection_closed" },
  { path: "/cut-body", outcome: "failed", reason: "connection_closed" },
  { path: "/cut-chunk", outcome: "failed", reason: "connection_closed" },
  { path: "/endless-body", outcome: "failed", reason: "response_too_large" },
  { path: "/too-large", outcome: "failed", reason: "response_too_large" },
  { path: "/silent", outcome: "timed_out", reason: "timeout", timeoutMs: 300 },
  { path: "/slow-body", outcome: "timed_out", reason: "timeout", timeoutMs: 1_500 },
  { path: "/slow-head", outcome: "timed_out", reason: "timeout", timeoutMs: 1_500 },
];

export const SECRET = "the application's secret";
export const NOW_MS = 1_700_000_000_123;

const silence = () => undefined;
const silent = { debug: silence, info: silence, warn: silence, error: silence };

export function createTestLane(options: Partial<CallbackLaneOptions> = {}): AttemptLane {
  return createCallbackLane({
    concurrency: 256,
    allow: null,
    allowLoopback: true,
    ports: [1],
    secretBox: { open: (sealed) => sealed.replace(/^sealed:/, "") },
    logger: silent,
    nowMs: () => NOW_MS,
    ...options,
  });
}

let ids = 0;

/** A claimed callback task for a URL. */
export function taskFor(linkUrl: string, changes: Partial<ClaimedTask> = {}): ClaimedTask {
  ids += 1;
  return {
    taskId: ids,
    attemptId: ids,
    fence: 1,
    taskNo: `no-${ids}`,
    name: "delivery",
    lane: "callback",
    job: null,
    content: '{"order":7,"note":"呵呵"}',
    timeoutMs: 20_000,
    life: 1,
    webhookTag: null,
    attempt: 1,
    charged: 0,
    deaths: 0,
    interruptions: 0,
    retry: linearRetry(5, 5),
    coroutineId: ids,
    application: applicationFor(linkUrl),
    ...changes,
  };
}

/** Without a secret for Standard Webhooks, and with the seed's rule of success. */
export function applicationFor(
  linkUrl: string,
  changes: Partial<ClaimedApplication> = {},
): ClaimedApplication {
  return {
    id: 1,
    appKey: "E3F5l1uKFcXUe1gd",
    linkUrl,
    secretSealed: `sealed:${SECRET}`,
    callbackSecretSealed: null,
    previous: null,
    successMatch: "body",
    ...changes,
  };
}
