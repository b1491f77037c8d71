// A retry policy in its columns: two numbers for the plain linear one, JSON besides them for every other.
import { linearRetry } from "../core/retry-policy.ts";
import type { RetryPolicy } from "../core/task.ts";
import { fromJson } from "./json-text.ts";
import type { TaskRow } from "./tables.ts";

export type RetryColumns = Pick<TaskRow, "retry_step_s" | "retry_total" | "retry">;

/** The CHECK of `retry_total` knows no more, and dropping it means copying the table on SQLite. */
const MOST_PLAIN_RETRIES = 10;

export function retryColumns(retry: RetryPolicy): RetryColumns {
  return {
    retry_step_s: retry.stepS,
    retry_total: Math.min(retry.total, MOST_PLAIN_RETRIES),
    retry: isPlain(retry) ? null : JSON.stringify(retry),
  };
}

export function toRetry(row: RetryColumns): RetryPolicy {
  return fromJson<RetryPolicy>(row.retry) ?? linearRetry(row.retry_step_s, row.retry_total);
}

function isPlain(retry: RetryPolicy): boolean {
  const plain = linearRetry(retry.stepS, retry.total);
  const fields = Object.keys(plain) as (keyof RetryPolicy)[];
  return retry.total <= MOST_PLAIN_RETRIES && fields.every((key) => retry[key] === plain[key]);
}
