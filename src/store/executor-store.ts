// The part of the store that knows which executors live: who holds tasks, and whose death is proven.
import type { JobHolders } from "../core/job-holders.ts";

export interface ExecutorStore {
  register(executor: { serviceId: string; host: string; pid: number }): Promise<void>;
  /** Says it is alive; every third of a lease. */
  beat(serviceId: string): Promise<void>;
  /** It was told to stop: what dies with it from now on is no death of its tasks. */
  noteStopping(serviceId: string): Promise<void>;
  /** The service ids of those that are not buried. */
  living(): Promise<string[]>;
  /**
   * Who has a job (by its name in the catalogue; null: delivers callbacks) among the executors that are not buried and
   * were not silent for `silentMs`.
   */
  holders(job: string | null, silentMs: number): Promise<JobHolders>;
  /**
   * Nothing of it runs any more (proven): what it held may be claimed. The receipts of those attempts become proofs by
   * the method `executor`, with the time since they were to be stopped.
   */
  bury(serviceId: string, provenAgoMs?: number): Promise<void>;
  /** Buries executors that were silent for `silentMs` (their host died with them). Answers how many. */
  burySilent(silentMs: number): Promise<number>;
}
