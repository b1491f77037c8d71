// The part of the store that reads attempts: how they ended, what they left, and where running ones are.
import type { AttemptEnd, AttemptTrace, Outcome } from "../core/attempt.ts";
import type { Checkpoint, WrittenCheckpoint } from "../core/checkpoint.ts";
import type { DeliveryLog } from "../core/views/delivery-log.ts";

/** A row of `attempts`. */
export interface Attempt {
  readonly id: number;
  readonly taskId: number;
  readonly life: number;
  /** Number within the life, from 1. */
  readonly attempt: number;
  readonly fence: number;
  readonly serviceId: string;
  readonly coroutineId: number;
  readonly startedAt: number;
  readonly finishedAt: number | null;
  /** Null while it runs. */
  readonly outcome: Outcome | null;
  readonly charged: boolean;
  readonly result: string | null;
  readonly error: AttemptEnd["error"] | null;
  readonly receipt: AttemptEnd["receipt"] | null;
  /** Of a callback: what went over the wire. */
  readonly delivery: DeliveryLog | null;
}

export interface AttemptStore {
  /** Attempts of a task, all lives, oldest first, the newest `limit` of them; without traces. */
  list(taskId: number, limit: number): Promise<Attempt[]>;
  /** How these attempts ended; those that run are missing. */
  outcomes(attemptIds: readonly number[]): Promise<ReadonlyMap<number, Outcome>>;
  /** What is kept of where an attempt was. */
  trace(attemptId: number): Promise<AttemptTrace | null>;
  /** Notes where running attempts are: one statement for many, the last one counts. */
  checkpoint(checkpoints: readonly Checkpoint[]): Promise<void>;
  /** Where an attempt was last seen; null when it never was. */
  lastCheckpoint(attemptId: number): Promise<WrittenCheckpoint | null>;
  /** The same for many, by attempt; those that were never seen are missing. */
  lastCheckpoints(attemptIds: readonly number[]): Promise<ReadonlyMap<number, WrittenCheckpoint>>;
}
