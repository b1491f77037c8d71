// The part of the store that knows executors: which of them live, hold tasks, or are proven dead.
import type { JobHolders } from "../core/job-holders.ts";

import type { Lane } from "../core/task.ts";

/** A living executor, and when it was heard. */
export interface ExecutorSigns {
  readonly serviceId: string;
  /** Of its main thread. */
  readonly seenAgoMs: number;
  /** Of the thread of each lane; null: not yet, or by a program that does not tell. */
  readonly laneAgoMs: Readonly<Record<Lane, number | null>>;
  /** How far its clock is ahead of the database's; null: unknown. */
  readonly clockAheadMs: number | null;
}

export interface ExecutorStore {
  register(executor: { serviceId: string; host: string; pid: number }): Promise<void>;
  /** Says it is alive; every third of a lease. `clockAheadMs`: how far its clock is ahead, when it knows. */
  beat(serviceId: string, clockAheadMs?: number): Promise<void>;
  /** Says that the thread of a lane is alive. */
  signLane(serviceId: string, lane: Lane): Promise<void>;
  /** The living ones, in the order of their ids. */
  signs(): Promise<ExecutorSigns[]>;
  /** It was told to stop: what dies with it from now on is no death of its tasks. */
  noteStopping(serviceId: string): Promise<void>;
  /** The service ids of the living ones. */
  living(): Promise<string[]>;
  /**
   * The holders of a job (by its name in the catalogue; null: of callbacks) among the executors that are not declared dead and
   * were not silent for `silentMs`.
   */
  holders(job: string | null, silentMs: number): Promise<JobHolders>;
  /**
   * Nothing of it runs any more (proven): what it held may be claimed. The receipts of those attempts become proofs by
   * the method `executor`, with the time since they were to be stopped.
   */
  declareDead(serviceId: string, provenAgoMs?: number): Promise<void>;
  /** Declares executors dead that were silent for `silentMs` (their host died with them). Resolves to their number. */
  declareSilentDead(silentMs: number): Promise<number>;
}
