// The log line of an attempt's end: enough to know what failed, whose it was and how, without asking the API.
import type { AttemptEnd, AttemptError, Outcome } from "./attempt.ts";
import type { Logger } from "./logger.ts";

/** An error's message may be long, and is the job's own text. */
const MOST_CHARACTERS = 300;

const LEVELS: Readonly<Record<Outcome, "debug" | "info" | "warn">> = {
  succeeded: "debug",
  cancelled: "info",
  interrupted: "info",
  failed: "warn",
  timed_out: "warn",
  crashed: "warn",
  lost: "warn",
};

export interface EndedAttempt {
  readonly taskId: number;
  readonly taskNo: string;
  /** Null: a callback. */
  readonly job: string | null;
  readonly appKey: string;
  readonly attempt: number;
  /** Charged ones there may be in this life. */
  readonly maxAttempts: number;
  /** How long it took. */
  readonly ms: number;
  readonly end: AttemptEnd;
}

/** One line; at warn for what is charged and no success, and for what got lost. */
export function logAttemptEnd(logger: Logger, ended: EndedAttempt): void {
  const { end, taskId, taskNo, job, appKey, attempt, maxAttempts, ms } = ended;
  const fields = {
    task_id: taskId,
    task_no: taskNo,
    ...(job !== null && { job }),
    app_key: appKey,
    attempt,
    max_attempts: maxAttempts,
    outcome: end.outcome,
    ms: Math.round(ms),
    ...(end.error !== undefined && errorFields(end.error)),
  };
  logger[LEVELS[end.outcome]](fields, "attempt ended");
}

function errorFields({ name, message, reason, fingerprint }: AttemptError) {
  const error = `${name}: ${message}`.slice(0, MOST_CHARACTERS).toWellFormed();
  return { ...(reason && { reason }), error, ...(fingerprint && { fingerprint }) };
}
