// The part of the store's port about what executors can run.
import type { JobDefinition } from "../core/job.ts";

export interface CatalogueStore {
  /**
   * Writes what an executor can run: the definitions, which outlive executors (the last publisher of a name wins), and
   * that this executor has them, until it is declared dead. What it told before is replaced.
   */
  publish(serviceId: string, jobs: readonly JobDefinition[]): Promise<void>;
  /** By name first, then by alias. */
  find(nameOrAlias: string): Promise<JobDefinition | undefined>;
  /** All names and aliases, for "did you mean". */
  names(): Promise<string[]>;
  /**
   * Forgets jobs that no executor has had for `unseenMs`; nothing as long as a living one does not tell its
   * jobs. Resolves to their names.
   */
  forget(unseenMs: number): Promise<string[]>;
}
