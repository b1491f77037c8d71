// What a task is: its states, the one transition table, and the shapes that travel through the platform.

/** The two kinds of attempt a task can need; each has its own topic and its own consumer. */
export const LANES = ["job", "callback"] as const;
export type Lane = (typeof LANES)[number];

/**
 * Every allowed move of a task. Types and SQL guards are derived from it.
 * `failed | cancelled → pending` happens by hand only (redeliver) and begins a new life.
 */
export const TASK_TRANSITIONS = {
  pending: ["running", "cancelled"],
  running: ["pending", "succeeded", "failed", "cancelled"],
  succeeded: [],
  failed: ["pending"],
  cancelled: ["pending"],
} as const;

/** What a redelivery with `force` may do besides: an explicit wish to do again what has succeeded. */
const FORCED_TRANSITIONS = { succeeded: ["pending"] } as const;

export type TaskStatus = keyof typeof TASK_TRANSITIONS;
export type TerminalStatus = "succeeded" | "failed" | "cancelled";
/** What the API shows: a pending task is `scheduled` (due later) or `queued` (due). */
export const SHOWN_STATUSES = [
  "scheduled",
  "queued",
  "running",
  "succeeded",
  "failed",
  "cancelled",
] as const;
export type ShownStatus = (typeof SHOWN_STATUSES)[number];

/** The states a task may be in just before it moves to `to`. */
export function statesBefore(to: TaskStatus, isForced = false): readonly TaskStatus[] {
  const states = Object.keys(TASK_TRANSITIONS) as TaskStatus[];
  return states.filter((from) => statesAfter(from, isForced).includes(to));
}

/** The states a task may move to. */
export function statesAfter(from: TaskStatus, isForced = false): readonly TaskStatus[] {
  const forced: Partial<Record<TaskStatus, readonly TaskStatus[]>> = FORCED_TRANSITIONS;
  return [...TASK_TRANSITIONS[from], ...(isForced ? (forced[from] ?? []) : [])];
}

export function isTerminal(status: TaskStatus): status is TerminalStatus {
  return status === "succeeded" || status === "failed" || status === "cancelled";
}

/** The status as the API shows it. `nowMs` and `runAt` are on the database's clock. */
export function shownStatus(
  task: { status: TaskStatus; runAt: number },
  nowMs: number,
): ShownStatus {
  if (task.status !== "pending") return task.status;
  return task.runAt > nowMs ? "scheduled" : "queued";
}

export const RETRY_STRATEGIES = ["linear", "fixed", "exponential"] as const;
export type RetryStrategy = (typeof RETRY_STRATEGIES)[number];

/** When a failed task is tried again; `core/retry-policy` completes what callers leave out. */
export interface RetryPolicy {
  /** After the n-th charged attempt: `stepS × n`, `stepS`, or `stepS × 2^(n−1)` seconds. */
  readonly strategy: RetryStrategy;
  /** 0–3600 seconds. */
  readonly stepS: number;
  /** 0–100 retries; a life has at most `1 + total` charged attempts. */
  readonly total: number;
  /** No delay is longer, 0–86,400 seconds. */
  readonly maxDelayS: number;
  /** Full jitter: the delay is uniform between 0 and what the strategy says. */
  readonly jitter: boolean;
  /** False: an attempt that timed out fails the task. */
  readonly retryOnTimeout: boolean;
}

/** A task about to be inserted. */
export interface NewTask {
  readonly applicationId: number;
  readonly taskNo: string;
  readonly name: string;
  readonly lane: Lane;
  /** The catalogue's name of the job; null for a callback. */
  readonly job: string | null;
  /** The content as JSON text, as the attempt gets it. */
  readonly content: string;
  /** `core/same-request` makes it, and the exact one where that differs. */
  readonly digest: string;
  readonly exactDigest?: string;
  readonly timeoutMs: number;
  /** Epoch ms; null means now on the database's clock, decided inside the INSERT. */
  readonly runAt: number | null;
  readonly retry: RetryPolicy;
  /** Of a callback, see `core/webhook-id`; null for a job. */
  readonly webhookTag: string | null;
}

/** A row of `tasks`. Times are epoch ms on the database's clock. */
export interface Task {
  readonly id: number;
  /** They decide whether a repeated create is the same one; null: an earlier release created it. */
  readonly digest: string;
  readonly exactDigest: string | null;
  readonly applicationId: number;
  readonly taskNo: string;
  readonly name: string;
  readonly lane: Lane;
  readonly job: string | null;
  readonly content: string;
  readonly timeoutMs: number;
  readonly status: TaskStatus;
  readonly runAt: number;
  /** +1 at every claim, never reset: proves the right to finish an attempt. */
  readonly fence: number;
  /** 1 at creation, +1 at every redeliver. */
  readonly life: number;
  /** Attempts claimed in this life, charged or not. */
  readonly attempt: number;
  /** Charged attempts that ended in this life. */
  readonly charged: number;
  /** Attempts of this life that ended `lost`. */
  readonly deaths: number;
  /** Attempts of this life that died with an executor that was told to stop. */
  readonly interruptions: number;
  readonly retry: RetryPolicy;
  readonly cancelRequestedAt: number | null;
  readonly leaseUntil: number | null;
  /** The executor in which something of its last attempt may still run; it is not claimed before that one is declared dead. */
  readonly heldBy?: string | null;
  readonly createdAt: number;
  readonly finishedAt: number | null;
}

/** A task that was claimed for one attempt, with all the attempt needs. */
export interface ClaimedTask {
  readonly taskId: number;
  readonly attemptId: number;
  readonly fence: number;
  readonly taskNo: string;
  readonly name: string;
  readonly lane: Lane;
  readonly job: string | null;
  readonly content: string;
  readonly timeoutMs: number;
  /** 1 at creation, +1 at every redeliver. */
  readonly life: number;
  /** Of a callback, see `core/webhook-id`; null where a program created it that knew none. */
  readonly webhookTag: string | null;
  /** The number of this attempt in this life, from 1. */
  readonly attempt: number;
  /** Charged attempts that ended before this one in this life. */
  readonly charged: number;
  readonly deaths: number;
  /** Attempts of this life that died with an executor that was told to stop. */
  readonly interruptions: number;
  readonly retry: RetryPolicy;
  /** Unique within the executor; `coroutine_id` in the API. */
  readonly coroutineId: number;
  readonly application: ClaimedApplication;
}

/** What a delivery needs to know of the task's application. */
export interface ClaimedApplication {
  readonly id: number;
  readonly appKey: string;
  readonly linkUrl: string;
  /** Encrypted; open it with `core/secret-box`. */
  readonly secretSealed: string;
  /** The same for the secret of callbacks; null: the application is older than those and was never rotated. */
  readonly callbackSecretSealed: string | null;
  /** What it had before a rotation whose grace lasted when the task was claimed. */
  readonly previous: PreviousSecrets | null;
  readonly successMatch: SuccessMatch;
}

/** Secrets that are still good besides the current ones, encrypted. */
export interface PreviousSecrets {
  readonly secretSealed: string;
  readonly callbackSecretSealed: string | null;
}

/** What makes a delivery a success: 2xx with the body `success`, or 2xx alone. */
export const SUCCESS_MATCHES = ["body", "2xx"] as const;
export type SuccessMatch = (typeof SUCCESS_MATCHES)[number];
