// Turns rows into the shapes of the port.

import type { StoredDigests } from "../core/same-request.ts";
import type { ClaimedApplication, ClaimedTask, PreviousSecrets, Task } from "../core/task.ts";
import type { Attempt } from "./attempt-store.ts";
import { fromJson } from "./json-text.ts";
import { type RetryColumns, toRetry } from "./retry-columns.ts";
import type { Application, OrphanedAttempt } from "./store.ts";
import type { ApplicationRow, AttemptEndRow, AttemptRow, Flag, TaskRow } from "./tables.ts";

/** What tells whether the secrets before the last rotation are still good: by the database's clock. */
export interface Graced {
  readonly is_graced: Flag;
}

export function toApplication(row: ApplicationRow & Graced): Application {
  return {
    id: row.id,
    appKey: row.app_key,
    name: row.name,
    secretSealed: row.secret_sealed,
    callbackSecretSealed: row.callback_secret_sealed,
    previous: toPrevious(row),
    linkUrl: row.link_url,
    successMatch: row.success_match,
    retry: toRetry(row),
    remark: row.remark,
    requireBodySignature: row.require_body_signature === 1,
    createdAt: row.created_at,
  };
}

type SecretColumns = Pick<
  ApplicationRow,
  | "secret_sealed"
  | "callback_secret_sealed"
  | "previous_secret_sealed"
  | "previous_callback_secret_sealed"
>;

function toPrevious(row: SecretColumns & Graced): PreviousSecrets | null {
  const secretSealed = row.previous_secret_sealed;
  if (secretSealed === null || row.is_graced === 0) return null;
  return { secretSealed, callbackSecretSealed: row.previous_callback_secret_sealed };
}

/** An empty exact digest is the same as the other one. */
export function toDigests(row: Pick<TaskRow, "digest" | "exact_digest">): StoredDigests {
  const { digest, exact_digest } = row;
  return { digest, exactDigest: exact_digest === "" ? digest : exact_digest };
}

export function toTask(row: TaskRow): Task {
  return {
    id: row.id,
    ...toDigests(row),
    applicationId: row.application_id,
    taskNo: row.task_no,
    name: row.name,
    lane: row.lane,
    job: row.job,
    content: row.content,
    timeoutMs: row.timeout_ms,
    status: row.status,
    runAt: row.run_at,
    fence: row.fence,
    life: row.life,
    attempt: row.attempt,
    charged: row.charged,
    deaths: row.deaths,
    interruptions: row.interruptions,
    retry: toRetry(row),
    cancelRequestedAt: row.cancel_requested_at,
    leaseUntil: row.lease_until,
    heldBy: row.held_by,
    createdAt: row.created_at,
    finishedAt: row.finished_at,
  };
}

/** An attempt joined with its end, which is missing while it runs. */
export type AttemptWithEnd = AttemptRow & {
  readonly [Column in Exclude<keyof AttemptEndRow, "attempt_id" | "trace">]:
    | AttemptEndRow[Column]
    | null;
};

export function toAttempt(row: AttemptWithEnd): Attempt {
  return {
    id: row.id,
    taskId: row.task_id,
    life: row.life,
    attempt: row.attempt,
    fence: row.fence,
    serviceId: row.service_id,
    coroutineId: row.coroutine_id,
    startedAt: row.started_at,
    finishedAt: row.finished_at,
    outcome: row.outcome,
    charged: row.charged === 1,
    result: row.result,
    error: fromJson(row.error),
    receipt: fromJson(row.receipt),
    delivery: fromJson(row.delivery),
  };
}

/** What reaping reads of a task. */
export type OrphanRow = Pick<
  TaskRow,
  "id" | "fence" | "charged" | "deaths" | "task_no" | "job" | "attempt"
> &
  RetryColumns & { readonly is_stopped: Flag; readonly app_key: string; readonly now_ms: number };

export function toOrphan(
  row: OrphanRow,
  { id: attemptId, started_at }: Pick<AttemptRow, "id" | "started_at">,
): OrphanedAttempt {
  return {
    taskId: row.id,
    attemptId,
    fence: row.fence,
    charged: row.charged,
    deaths: row.deaths,
    retry: toRetry(row),
    wasTold: row.is_stopped === 1,
    taskNo: row.task_no,
    job: row.job,
    appKey: row.app_key,
    attempt: row.attempt,
    ageMs: Math.max(0, row.now_ms - started_at),
  };
}

/** What a claim reads of a task; `attempt` and `fence` are those before the claim. */
export const CLAIM_COLUMNS = [
  ...(["id", "application_id", "task_no", "name", "lane", "job", "content", "timeout_ms"] as const),
  ...(["run_at", "fence", "life", "attempt", "charged", "deaths", "interruptions"] as const),
  ...(["retry_step_s", "retry_total", "retry", "webhook_tag"] as const),
] as const;

export type ClaimableRow = Pick<TaskRow, (typeof CLAIM_COLUMNS)[number]>;

export interface ClaimCompany {
  readonly attempt: Pick<AttemptRow, "id" | "coroutine_id">;
  readonly application: ClaimedApplication;
}

/** What a claim reads of an application. */
export type ClaimingRow = SecretColumns &
  Graced &
  Pick<ApplicationRow, "id" | "app_key" | "link_url" | "success_match">;

export function toClaimedTask(
  row: ClaimableRow,
  { attempt, application }: ClaimCompany,
): ClaimedTask {
  return {
    taskId: row.id,
    attemptId: attempt.id,
    fence: row.fence + 1,
    taskNo: row.task_no,
    name: row.name,
    lane: row.lane,
    job: row.job,
    content: row.content,
    timeoutMs: row.timeout_ms,
    life: row.life,
    webhookTag: row.webhook_tag,
    attempt: row.attempt + 1,
    charged: row.charged,
    deaths: row.deaths,
    interruptions: row.interruptions,
    retry: toRetry(row),
    coroutineId: attempt.coroutine_id,
    application,
  };
}

/** Made once for all tasks of a claim. */
export function toClaimedApplication(row: ClaimingRow): ClaimedApplication {
  return {
    id: row.id,
    appKey: row.app_key,
    linkUrl: row.link_url,
    secretSealed: row.secret_sealed,
    callbackSecretSealed: row.callback_secret_sealed,
    previous: toPrevious(row),
    successMatch: row.success_match,
  };
}
