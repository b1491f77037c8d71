// What a task was asked for and when it is to run, as it is shown: secrets masked, large inputs cut.
import { Buffer } from "node:buffer";
import { parseExact } from "./exact-json.ts";
import { MASK, secretKeys } from "./secret-keys.ts";
import type { Task } from "./task.ts";
import { type JsonObject, readCall } from "./task-content.ts";
import { formatInstant } from "./timestamps.ts";
import type { TaskFacts } from "./views/task-detail.ts";

export interface FactsOptions {
  readonly nowMs: number;
  readonly timezone: string;
  /** More keys of the job whose values are not shown. */
  readonly redact: readonly string[];
}

const MAX_SHOWN_BYTES = 64 * 1024;

export function taskFacts(task: Task, { nowMs, timezone, redact }: FactsOptions): TaskFacts {
  const { shown, isCut } = shownInput(task, redact);
  const isRetry = task.status === "pending" && task.attempt > 0 && task.runAt > nowMs;
  return {
    lane: task.lane,
    job: task.job,
    params: task.lane === "job" ? shown : null,
    content: task.lane === "callback" ? shown : null,
    content_cut: isCut,
    created_at: task.createdAt,
    created_at_text: formatInstant(task.createdAt, timezone),
    run_at: task.runAt,
    run_at_text: formatInstant(task.runAt, timezone),
    next_retry_at: isRetry ? task.runAt : null,
    finished_at: task.finishedAt,
    timeout_ms: task.timeoutMs,
  };
}

function shownInput({ lane, content }: Task, redact: readonly string[]) {
  const value = parseExact(content);
  const input = lane === "job" ? (readCall(value as JsonObject)?.params ?? null) : value;
  const shown = masked(input, secretKeys(redact));
  const text = JSON.stringify(shown);
  if (Buffer.byteLength(text) <= MAX_SHOWN_BYTES) return { shown, isCut: false };
  return { shown: beginningOf(text), isCut: true };
}

/** Contents nest at most 64 levels. */
function masked(value: unknown, secret: RegExp): unknown {
  if (typeof value !== "object" || value === null || JSON.isRawJSON(value)) return value;
  if (Array.isArray(value)) return value.map((item: unknown) => masked(item, secret));
  const entries = Object.entries(value);
  // Not by assignment: a key may be called __proto__.
  return Object.fromEntries(
    entries.map(([key, item]) => [key, secret.test(key) ? MASK : masked(item, secret)]),
  );
}

function beginningOf(text: string): string {
  const bytes = Buffer.from(text).subarray(0, MAX_SHOWN_BYTES);
  // A character that the cut goes through is left out.
  return new TextDecoder().decode(bytes).replace(/\uFFFD$/, "");
}
