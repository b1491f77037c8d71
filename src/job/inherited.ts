// What an executor takes over from a dead one's catalogue: jobs of unchanged files need no import before they run.
import type { Logger } from "../core/logger.ts";
import {
  type Catalogue,
  type CatalogueJob,
  type CatalogueOptions,
  findDuplicates,
  type ReadJobFiles,
  readJobFiles,
} from "./catalogue.ts";
import { listJobFiles, openJobsDir, sourceHash } from "./job-files.ts";

/** What is known of a JOBS_DIR before any of its files is imported. */
export interface Inherited extends Catalogue {
  /** New files, and those that changed: their jobs are known only after an import. */
  readonly changed: readonly string[];
}

/** Compares the files with what was inherited. Throws AppError `configuration` when JOBS_DIR cannot be read. */
export async function inheritCatalogue(
  folder: string,
  inherited: readonly CatalogueJob[],
): Promise<Inherited> {
  const jobsDir = await openJobsDir(folder);
  const before = new Map(inherited.map((job) => [job.file, job]));
  const jobs: CatalogueJob[] = [];
  const changed: string[] = [];
  for (const file of await listJobFiles(jobsDir)) {
    const job = before.get(file);
    const hash = job && (await sourceHash(file).catch(() => null));
    if (job !== undefined && hash === job.definition.sourceHash) jobs.push(job);
    else changed.push(file);
  }
  return { jobsDir, jobs, changed, badFiles: [], duplicates: [] };
}

/** One file after the other: the attempts beside need the processor more. */
const AT_ONCE = 1;

/**
 * Imports what an executor inherited while it runs that already: the changed files first, then the others too, because a
 * file's hash says nothing of what it imports. Tells the catalogue after each of the two.
 */
export async function importBeside(
  { jobs: served, changed }: Inherited,
  options: Omit<CatalogueOptions, "jobsDir">,
  publish: (imported: ReadJobFiles) => void,
): Promise<void> {
  const read = (files: readonly string[]) => readJobFiles(files, { ...options, atOnce: AT_ONCE });
  const fresh = await read(changed);
  if (changed.length > 0) publish(settleNames([{ jobs: served, badFiles: [] }, fresh], served));
  const again = await read(served.map(({ file }) => file));
  const found = settleNames([again, fresh], served);
  warnOfTakenNames(found, [again, fresh], options.logger);
  publish(found);
}

/** Of files that are left out for their names alone: what else is wrong with a file was told when it was read. */
export function warnOfTakenNames(
  { badFiles }: ReadJobFiles,
  parts: readonly ReadJobFiles[],
  logger: Logger,
): void {
  const told = parts.flatMap((part) => part.badFiles).length;
  for (const { file, message } of badFiles.slice(told)) {
    logger.warn({ file }, `a job file is left out: ${message}`);
  }
}

/** A name that two files claim stays with the file it was served from; where that is none of them, with nobody. */
export function settleNames(
  parts: readonly ReadJobFiles[],
  served: readonly CatalogueJob[],
): ReadJobFiles {
  const jobs = parts.flatMap((part) => part.jobs);
  const badFiles = parts.flatMap((part) => part.badFiles);
  const refused = new Map<string, string>();
  for (const { name, files } of findDuplicates(jobs)) {
    const owner = served.find((job) => files.includes(job.file) && namesOf(job).includes(name));
    for (const file of files.filter((each) => each !== owner?.file)) {
      const others = files.filter((other) => other !== file).join(" and ");
      refused.set(file, `${others} has the name or alias ${JSON.stringify(name)} too`);
    }
  }
  return {
    jobs: jobs.filter(({ file }) => !refused.has(file)),
    badFiles: [...badFiles, ...[...refused].map(([file, message]) => ({ file, message }))],
  };
}

/** All names under which tasks may ask for a job. */
export function namesOf({ definition }: CatalogueJob): string[] {
  return [definition.name, ...definition.aliases];
}
