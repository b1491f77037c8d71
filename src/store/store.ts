// The port of the store, the truth about every task: each line here is one guarded change of state or one read.
import type { AttemptEnd, ClaimLimits, NextState } from "../core/attempt.ts";
import type { LiftedCounter } from "../core/lifted-counter.ts";
import type {
  ClaimedTask,
  Lane,
  NewTask,
  PreviousSecrets,
  RetryPolicy,
  SuccessMatch,
  Task,
  TaskStatus,
} from "../core/task.ts";
import type { Attempt, AttemptStore } from "./attempt-store.ts";
import type { CatalogueStore } from "./catalogue-store.ts";
import type { ExecutorStore } from "./executor-store.ts";

/** All times are epoch ms on the database's clock, taken inside the statement. */
export interface Store {
  readonly applications: ApplicationStore;
  readonly tasks: TaskStore;
  readonly attempts: AttemptStore;
  readonly catalogue: CatalogueStore;
  readonly executors: ExecutorStore;
  /** Applies missing migrations under a lock; safe to call from many processes at once. Names a half-applied one. */
  migrate(): Promise<void>;
  /** Throws AppError `configuration` when the schema is older (run `migrate`) or newer (update the program). */
  checkSchema(): Promise<void>;
  /**
   * After an older copy of the database was restored: lets ids count on from `margin` above what the copy would count,
   * because it would give ids out a second time. Repeated at once, with nothing created in between, it does nothing.
   * Throws AppError `refused` while an executor lives, unless `isAlone` says that nothing else can.
   */
  liftCounters(margin: number, isAlone?: boolean): Promise<readonly LiftedCounter[]>;
  /** Rejects when the database cannot answer within about 2 s. */
  ping(): Promise<void>;
  /** After a failed write: rejects until a write succeeds. Costs nothing before. */
  checkWrites(): Promise<void>;
  /** The database's clock, epoch ms. */
  now(): Promise<number>;
  /** Keeps the first value ever put under `key`, and resolves to it. */
  putOnce(key: string, value: string): Promise<string>;
  close(): Promise<void>;
}

export interface NewApplication {
  readonly appKey: string;
  readonly name: string;
  readonly secretSealed: string;
  /** Null: it is older than callback secrets and was never rotated. */
  readonly callbackSecretSealed: string | null;
  readonly linkUrl: string;
  readonly successMatch: SuccessMatch;
  readonly retry: RetryPolicy;
  readonly remark: string;
  readonly requireBodySignature: boolean;
}

export interface Application extends NewApplication {
  readonly id: number;
  /** The secrets before the last rotation; null once its grace is over. */
  readonly previous: PreviousSecrets | null;
  readonly createdAt: number;
}

/** New secrets for an application, sealed. */
export interface Rotation {
  readonly appKey: string;
  readonly secretSealed: string;
  readonly callbackSecretSealed: string;
  /** How long the replaced secrets are good besides the new ones; those before them are forgotten. 0: not at all. */
  readonly graceMs: number;
  /** Present when the application itself asks. */
  readonly signed?: {
    /** Used up in the same transaction, whatever the answer. */
    readonly nonce: string;
    /** The secret it signed with: when that is not the current one any more, nothing changes. */
    readonly secretSealed: string;
  };
}

export type RotateResult =
  | { readonly kind: "unknown" }
  | { readonly kind: "replayed" }
  /** Another rotation came first. */
  | { readonly kind: "outdated" }
  | { readonly kind: "rotated"; readonly previousValidUntil: number };

export interface ApplicationStore {
  create(application: NewApplication): Promise<number>;
  find(appKey: string): Promise<Application | undefined>;
  rotate(rotation: Rotation): Promise<RotateResult>;
  /** Notes that it creates tasks, on the database's clock. */
  noteUse(applicationId: number): Promise<void>;
  /** How many were noted within the last `withinMs`; counts to 2. */
  countInUse(withinMs: number): Promise<number>;
}

/** A task of one application, by id or by taskNo. */
export type TaskReference = { readonly applicationId: number } & (
  | { readonly id: number; readonly taskNo?: never }
  | { readonly taskNo: string; readonly id?: never }
);

/** What became of one create; positions match the input. */
export type CreateResult =
  | { readonly kind: "created"; readonly id: number }
  /** The taskNo exists; `same` tells whether the digest is equal. */
  | { readonly kind: "existing"; readonly id: number; readonly same: boolean }
  /** Only this row was refused by the database. */
  | { readonly kind: "rejected"; readonly cause: unknown };

/** The right to finish one attempt. */
export interface LeaseReference {
  readonly taskId: number;
  readonly attemptId: number;
  readonly fence: number;
}

/** One attempt's end, already decided by `core/outcome`. */
export interface Finish extends LeaseReference {
  readonly end: AttemptEnd;
  readonly charged: boolean;
  /** A pending one becomes `cancelled` instead when a cancel was requested: the statement sees to it. */
  readonly next: NextState;
  /**
   * The executor in which something of this attempt still runs: the task is not claimed before that executor is
   * proven dead (`executors.declareDead`).
   */
  readonly heldBy?: string;
  /** It died with an executor that was told to stop: counted in its life. */
  readonly diedStopping?: boolean;
}

export interface ClaimRequest {
  readonly lane: Lane;
  readonly serviceId: string;
  readonly leaseMs: number;
  /** Jobs it can run (names and aliases); null for the callback lane. */
  readonly jobs: readonly string[] | null;
  /** One number per free slot: at most as many tasks are claimed. */
  readonly coroutineIds: readonly number[];
  /** Absent: any that is due. */
  readonly limits?: ClaimLimits;
  /** Random, kept with what it claims: see `TaskStore.claimedBy`. Absent: nobody will ask. */
  readonly turnToken?: string;
}

/** Turns of one executor's lane whose outcome is not known. */
export interface LostTurns extends Pick<ClaimRequest, "serviceId" | "lane"> {
  readonly turnTokens: readonly string[];
}

export interface TurnResult {
  /** Fences of `finishes` that were still valid and are written; the rest is stale and changed nothing. */
  readonly finished: readonly LeaseReference[];
  readonly claimed: readonly ClaimedTask[];
  /** More is due in the lane than was taken. */
  readonly moreDue: boolean;
  /** Ms until the next claimable task of the lane is due (for the `jobs` asked), null when there is none. */
  readonly nextDueInMs: number | null;
}

/** A lease that is still ours after renewing. */
export interface RenewedLease extends LeaseReference {
  readonly cancelRequested: boolean;
  /** Of a requested cancel: how long the attempt may end by itself. */
  readonly graceMs: number;
}

/** An attempt that is asked to be cancelled. */
export interface RequestedCancel extends LeaseReference {
  readonly graceMs: number;
}

/** A running task whose executor is gone; the caller decides its next state with `core/outcome`. */
export interface OrphanedAttempt extends LeaseReference {
  readonly charged: number;
  readonly deaths: number;
  readonly retry: RetryPolicy;
  /** Its executor had been told to stop: see `executors.noteStopping`. */
  readonly wasTold: boolean;
  /** For the log: whose it is, which attempt of its life, and how long ago that began. */
  readonly taskNo: string;
  readonly job: string | null;
  readonly appKey: string;
  readonly attempt: number;
  readonly ageMs: number;
}

export type CancelResult =
  | { readonly kind: "unknown" }
  | { readonly kind: "replayed" }
  | { readonly kind: "cancelled" }
  /** It runs: the request is durable, the executor must be told. */
  | { readonly kind: "requested"; readonly task: TaskDetail }
  | { readonly kind: "finished"; readonly status: TaskStatus };

export type RedeliverResult =
  | { readonly kind: "unknown" }
  | { readonly kind: "replayed" }
  /** It was pending already: ring again. */
  | { readonly kind: "pending"; readonly lane: Lane; readonly dueInMs: number }
  /** A new life began, due now. */
  | { readonly kind: "redelivered"; readonly lane: Lane }
  | { readonly kind: "refused"; readonly status: TaskStatus };

/** A change asked for by a signed request. */
export interface SignedChange {
  readonly reference: TaskReference;
  /** Of a body-bound request: used up in the same transaction, whatever the answer. */
  readonly nonce?: string;
  /** When given, the running attempt must match, otherwise `unknown` and nothing changes. */
  readonly coroutineId?: number;
  readonly serviceId?: string;
}

/** How a redelivered task begins again. */
export interface NewLife {
  /** Of the new life, where the life before has one; absent: it keeps that. */
  readonly webhookTag?: string;
  /** One that has succeeded begins again too. */
  readonly isForced?: boolean;
}

/** A task with its newest attempt and the clock of the reading. */
export interface TaskDetail {
  readonly task: Task;
  readonly latest: Attempt | null;
  readonly nowMs: number;
}

/** A pending task of a job. */
export interface WaitingTask {
  readonly id: number;
  readonly taskNo: string;
  /** Its JSON text. */
  readonly content: string;
}

export interface TaskStore {
  /**
   * Inserts many at once: plain multi-row INSERTs of at most 500 rows / 1 MiB, halved until only a guilty row fails.
   * Resolves after commit.
   */
  create(tasks: readonly NewTask[]): Promise<CreateResult[]>;
  find(reference: TaskReference): Promise<TaskDetail | undefined>;
  /** Pending tasks of these jobs (names and aliases), the first due first. */
  waitingFor(jobs: readonly string[], limit: number): Promise<WaitingTask[]>;
  /** One transaction: writes `finishes` guarded by their fences, then claims. Either part may be empty. */
  turn(finishes: readonly Finish[], claim: ClaimRequest | null): Promise<TurnResult>;
  /** Extends leases by list, also expired ones that nobody took; those missing in the result are lost. */
  renew(leases: readonly LeaseReference[], leaseMs: number): Promise<RenewedLease[]>;
  /** Which of these attempts are asked to be cancelled. */
  cancelRequests(leases: readonly LeaseReference[]): Promise<RequestedCancel[]>;
  /**
   * `graceMs`: how long a running attempt may end by itself after its signal. Of several requests the first counts for
   * the time, the shortest grace for the rest.
   */
  cancel(change: SignedChange, graceMs?: number): Promise<CancelResult>;
  redeliver(change: SignedChange, life?: NewLife): Promise<RedeliverResult>;
  /** Uses a nonce up without any effect (a signed request that was malformed). False when it was used before. */
  useNonce(applicationId: number, nonce: string): Promise<boolean>;
  /** Running tasks whose lease expired. */
  expired(limit: number): Promise<OrphanedAttempt[]>;
  /** Running tasks of one executor. */
  runningOf(serviceId: string): Promise<OrphanedAttempt[]>;
  /** Running tasks that these turns claimed. */
  claimedBy(turns: LostTurns): Promise<OrphanedAttempt[]>;
  /** As the finishes of a turn; with `onlyExpired` a lease renewed meanwhile wins. Resolves to what was written. */
  settle(finishes: readonly Finish[], onlyExpired: boolean): Promise<LeaseReference[]>;
  /**
   * The attempt is proven dead after all: clears `held_by` where the fence still matches, so that it may be claimed.
   * The proof becomes the attempt's receipt.
   */
  release(lease: LeaseReference, proof?: AttemptEnd["receipt"]): Promise<void>;
  /** Deletes finished tasks with their attempts, at most `limit` rows, by (finished_at, id). Resolves to their number. */
  prune(limits: PruneLimits): Promise<number>;
  /** Deletes nonces older than `olderThanMs`. */
  pruneNonces(olderThanMs: number): Promise<number>;
}

export interface PruneLimits {
  /** Age for succeeded and cancelled tasks. */
  readonly olderThanMs: number;
  /** Age for failed tasks. */
  readonly failedOlderThanMs: number;
  readonly limit: number;
}
