// Makes the catalogue of a JOBS_DIR: each file is imported in a job worker of its own, never in this thread.
import { patternsCheckedLate } from "../core/check-params.ts";
import { messageOf } from "../core/errors.ts";
import type { BadJobFile, Isolation, JobDefinition, Trace } from "../core/job.ts";
import type { Logger } from "../core/logger.ts";
import { canKillThreads } from "../process/runtime.ts";
import type { SpawnHost } from "./host/job-host.ts";
import { type FileLoad, loadFile } from "./host/load-file.ts";
import { listJobFiles, openJobsDir, sourceHash } from "./job-files.ts";

/** A name or alias that more than one file claims. */
export interface DuplicateName {
  readonly name: string;
  /** Absolute paths. */
  readonly files: readonly string[];
}

/** A job with what only executors of this machine need of it; plain data, which crosses threads and processes. */
export interface CatalogueJob {
  readonly definition: JobDefinition;
  /** Absolute path. */
  readonly file: string;
  /** How it wants to be traced. */
  readonly trace: Trace;
  /** Memory limit of its process in MB; null means no limit. */
  readonly memoryMb: number | null;
}

/** What the files of a JOBS_DIR were found to be. */
export interface ReadJobFiles {
  readonly jobs: readonly CatalogueJob[];
  /** Files that are left out, and why. */
  readonly badFiles: readonly BadJobFile[];
}

export interface Catalogue extends ReadJobFiles {
  /** Real path of JOBS_DIR. */
  readonly jobsDir: string;
  /** Not empty: the executor must not start. */
  readonly duplicates: readonly DuplicateName[];
}

export interface CatalogueOptions {
  readonly jobsDir: string;
  readonly spawn: SpawnHost;
  readonly logger: Logger;
  /** What becomes of jobs that say nothing of isolation. Default: `warm`. */
  readonly isolation?: Isolation;
  /** Why no job may run on a thread here; such jobs are bad files then. Default: they may. */
  readonly noThreads?: string | null;
  /** How many files are imported at the same time. Default 2. */
  readonly atOnce?: number;
}

/** How files are imported where threads can be killed, and where they cannot: a file that never ends would burn on. */
export function importWays(spawn: {
  readonly thread: SpawnHost;
  readonly process: SpawnHost;
}): Pick<CatalogueOptions, "spawn" | "isolation"> {
  if (canKillThreads()) return { spawn: spawn.thread, isolation: "warm" };
  return { spawn: spawn.process, isolation: "process" };
}

/** What a job wants instead is known only once its file is loaded. */
const FIRST_TRACE: Trace = "lean";

/** Importing is work for the processor. */
const AT_ONCE = 2;

type ReadFile =
  | { readonly kind: "job"; readonly job: CatalogueJob }
  | { readonly kind: "bad"; readonly file: string; readonly message: string };

/**
 * Reads all job files. A bad one is reported and does not stop the rest, whatever it does while it is imported.
 * Throws AppError `configuration` when JOBS_DIR cannot be read.
 */
export async function loadCatalogue(options: CatalogueOptions): Promise<Catalogue> {
  const jobsDir = await openJobsDir(options.jobsDir);
  const read = await readJobFiles(await listJobFiles(jobsDir), options);
  return { jobsDir, ...read, duplicates: findDuplicates(read.jobs) };
}

/** Imports these files, in their order. Never rejects for what is in them. */
export async function readJobFiles(
  files: readonly string[],
  options: Omit<CatalogueOptions, "jobsDir">,
): Promise<ReadJobFiles> {
  const read = await mapAtOnce(files, options.atOnce ?? AT_ONCE, (file) =>
    readJobFile(file, options),
  );
  return {
    jobs: read.flatMap((each) => (each.kind === "job" ? [each.job] : [])),
    badFiles: read.flatMap((each) =>
      each.kind === "bad" ? [{ file: each.file, message: each.message }] : [],
    ),
  };
}

async function readJobFile(
  file: string,
  options: Omit<CatalogueOptions, "jobsDir">,
): Promise<ReadFile> {
  const { logger } = options;
  try {
    // Before the import: a file that changes meanwhile must not pass for the one that was imported.
    const hash = await sourceHash(file);
    const loaded = await importAlone(file, options);
    if (loaded.kind === "refused") return reportBad(file, loaded.message, logger);
    const { trace, memoryMb, ...described } = loaded.job;
    const isolation = described.isolation ?? options.isolation ?? "warm";
    const refused = isolation === "process" ? null : (options.noThreads ?? null);
    if (refused !== null) return reportBad(file, `isolation: "${isolation}": ${refused}`, logger);
    const untraced = trace === "off" ? [] : loaded.untraced;
    const definition = { ...described, isolation, sourceHash: hash, untraced };
    // A schema may be JSON and still make no sense (an unknown $ref): better said at the start than at every task.
    for (const pattern of patternsCheckedLate(definition)) {
      logger.warn({ file, pattern }, "a pattern is checked only when the job starts");
    }
    return { kind: "job", job: { definition, file, trace, memoryMb } };
  } catch (thrown) {
    return reportBad(file, messageOf(thrown), logger);
  }
}

async function importAlone(
  file: string,
  { spawn, logger }: Pick<CatalogueOptions, "spawn" | "logger">,
): Promise<FileLoad> {
  const host = spawn();
  try {
    return await loadFile(host, { file, trace: FIRST_TRACE });
  } finally {
    const isDead = await host.kill();
    if (!isDead) logger.warn({ file }, "the code of a job file cannot be stopped and may burn on");
  }
}

function reportBad(file: string, message: string, logger: Logger): ReadFile {
  logger.warn({ file }, `a job file is left out: ${message}`);
  return { kind: "bad", file, message };
}

/** Names and aliases that more than one file claims. */
export function findDuplicates(jobs: readonly CatalogueJob[]): DuplicateName[] {
  const byName = new Map<string, string[]>();
  for (const { file, definition } of jobs) {
    for (const name of [definition.name, ...definition.aliases]) {
      byName.set(name, [...(byName.get(name) ?? []), file]);
    }
  }
  return [...byName]
    .filter(([, files]) => files.length > 1)
    .map(([name, files]) => ({ name, files }));
}

/** Keeps the order. */
async function mapAtOnce<A, B>(
  items: readonly A[],
  atOnce: number,
  map: (item: A) => Promise<B>,
): Promise<B[]> {
  const results: B[] = [];
  const open = items.entries();
  const work = async () => {
    for (const [index, item] of open) results[index] = await map(item);
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  return results;
}
