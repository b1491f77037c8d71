// Turns rows into the shapes of the port.

import type { ClaimedTask, Task } from "../core/task.ts";
import type { Application, Attempt, OrphanedAttempt } from "./store.ts";
import type { ApplicationRow, AttemptEndRow, AttemptRow, TaskRow } from "./tables.ts";

export function toApplication(row: ApplicationRow): Application {
  return {
    id: row.id,
    appKey: row.app_key,
    name: row.name,
    secretSealed: row.secret_sealed,
    linkUrl: row.link_url,
    retry: { stepS: row.retry_step_s, total: row.retry_total },
    remark: row.remark,
    requireBodySignature: row.require_body_signature === 1,
    createdAt: row.created_at,
  };
}

export function toTask(row: TaskRow): Task {
  return {
    id: row.id,
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
    retry: { stepS: row.retry_step_s, total: row.retry_total },
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
  };
}

/** JSON this store has written itself. */
export function fromJson<T>(text: string | null): T | null {
  return text === null ? null : (JSON.parse(text) as T);
}

export function toJson(value: unknown): string | null {
  return value === undefined || value === null ? null : JSON.stringify(value);
}

/** What reaping reads of a task. */
export type OrphanRow = Pick<
  TaskRow,
  "id" | "fence" | "charged" | "deaths" | "retry_step_s" | "retry_total"
>;

export function toOrphan(row: OrphanRow, attemptId: number): OrphanedAttempt {
  return {
    taskId: row.id,
    attemptId,
    fence: row.fence,
    charged: row.charged,
    deaths: row.deaths,
    retry: { stepS: row.retry_step_s, total: row.retry_total },
  };
}

/** What a claim reads of a task; `attempt` and `fence` are those before the claim. */
export type ClaimableRow = Pick<
  TaskRow,
  | "id"
  | "application_id"
  | "task_no"
  | "name"
  | "lane"
  | "job"
  | "content"
  | "timeout_ms"
  | "run_at"
  | "fence"
  | "life"
  | "attempt"
  | "charged"
  | "deaths"
  | "retry_step_s"
  | "retry_total"
>;

export interface ClaimCompany {
  readonly attempt: Pick<AttemptRow, "id" | "coroutine_id">;
  readonly application: Pick<ApplicationRow, "id" | "app_key" | "link_url" | "secret_sealed">;
}

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
    attempt: row.attempt + 1,
    charged: row.charged,
    deaths: row.deaths,
    retry: { stepS: row.retry_step_s, total: row.retry_total },
    coroutineId: attempt.coroutine_id,
    application: {
      id: application.id,
      appKey: application.app_key,
      linkUrl: application.link_url,
      secretSealed: application.secret_sealed,
    },
  };
}
