// Reads the files of a JOBS_DIR again while their jobs are served, and tells what became of them.
import type { JobDefinition } from "../core/job.ts";
import {
  type Catalogue,
  type CatalogueJob,
  type CatalogueOptions,
  type ReadJobFiles,
  readJobFiles,
} from "./catalogue.ts";
import { inheritCatalogue, settleNames, warnOfTakenNames } from "./inherited.ts";
import type { ChangedFiles } from "./watch-files.ts";

export interface Reread extends ReadJobFiles {
  /** Jobs that are new or may have changed. */
  readonly fresh: readonly JobDefinition[];
  /** Names of jobs that are served no more: their files are gone, or cannot be used. */
  readonly gone: readonly string[];
}

/**
 * Imports what changed since `served` was read. Never rejects for what is in the files; throws AppError
 * `configuration` when JOBS_DIR cannot be read.
 */
export async function readAgain(
  { jobsDir, served }: Pick<Catalogue, "jobsDir"> & { readonly served: readonly CatalogueJob[] },
  { isShared }: ChangedFiles,
  options: Omit<CatalogueOptions, "jobsDir">,
): Promise<Reread> {
  const { jobs: kept, changed } = await inheritCatalogue(jobsDir, isShared ? [] : served);
  const read = await readJobFiles(changed, options);
  const parts = [{ jobs: kept, badFiles: [] }, read];
  const found = settleNames(parts, served);
  warnOfTakenNames(found, parts, options.logger);
  const names = new Set(found.jobs.map(({ definition }) => definition.name));
  const unchanged = new Set(kept);
  return {
    ...found,
    fresh: found.jobs.filter((job) => !unchanged.has(job)).map(({ definition }) => definition),
    gone: served.map(({ definition }) => definition.name).filter((name) => !names.has(name)),
  };
}
