// The part of the store's port about what executors can run.
import type { JobDefinition } from "../core/job.ts";

/** A job with what is known of it besides its definition. */
export interface CatalogueEntry {
  readonly job: JobDefinition;
  /** When an executor published it last, in epoch ms on the database's clock. */
  readonly publishedAt: number;
  /** Service ids of the executors that have it, without those declared dead. */
  readonly executors: readonly string[];
}

export interface CatalogueStore {
  /**
   * Writes what an executor can run: the definitions, which outlive executors (the last publisher of a name wins), and
   * that this executor has them, until it is declared dead. What it told before is replaced.
   */
  publish(serviceId: string, jobs: readonly JobDefinition[]): Promise<void>;
  /** By name first, then by alias. */
  find(nameOrAlias: string): Promise<JobDefinition | undefined>;
  /** Every job, in no order. */
  list(): Promise<CatalogueEntry[]>;
  /** All names and aliases, for "did you mean". */
  names(): Promise<string[]>;
  /**
   * Forgets jobs that no executor has had for `unseenMs`; nothing as long as a living one does not tell its
   * jobs. Resolves to their names.
   */
  forget(unseenMs: number): Promise<string[]>;
}
