// The part of the store's port about what executors can run.
import type { JobDefinition } from "../core/job.ts";

export interface CatalogueStore {
  /** Writes what an executor can run; rows outlive executors, the last publisher of a name wins. */
  publish(serviceId: string, jobs: readonly JobDefinition[]): Promise<void>;
  /** By name first, then by alias. */
  find(nameOrAlias: string): Promise<JobDefinition | undefined>;
  /** All names and aliases, for "did you mean". */
  names(): Promise<string[]>;
  /** True once any executor published, even an empty one. */
  isPublished(): Promise<boolean>;
}
