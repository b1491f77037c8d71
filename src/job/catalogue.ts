// Makes the catalogue of a JOBS_DIR: each file is imported in a job worker of its own, never in this thread.
import { createParamsChecker } from "../core/check-params.ts";
import { messageOf } from "../core/errors.ts";
import type { BadJobFile, Isolation, JobDefinition, Trace } from "../core/job.ts";
import type { Logger } from "../core/logger.ts";
import { listJobFiles, openJobsDir, sourceHash } from "./job-files.ts";
import type { SpawnHost } from "./job-host.ts";
import { type FileLoad, loadFile } from "./load-file.ts";
import { canKillThreads } from "./runtime.ts";

/** A name or alias that more than one file claims. */
export interface DuplicateName {
  readonly name: string;
  /** Absolute paths. */
  readonly files: readonly string[];
}

export interface Catalogue {
  /** Real path of JOBS_DIR. */
  readonly jobsDir: string;
  readonly definitions: readonly JobDefinition[];
  /** Absolute path of the file of each job, by its name. */
  readonly files: ReadonlyMap<string, string>;
  /** How each job wants to be traced, by its name. */
  readonly traces: ReadonlyMap<string, Trace>;
  /** `memoryMb` of the jobs that have one, by name. */
  readonly memoryMb: ReadonlyMap<string, number>;
  /** Files that are left out, and why. */
  readonly badFiles: readonly BadJobFile[];
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

/** As many files at once: importing is work for the processor. */
const AT_ONCE = 2;

type ReadFile =
  | {
      readonly kind: "job";
      readonly file: string;
      readonly definition: JobDefinition;
      readonly trace: Trace;
      readonly memoryMb: number | null;
    }
  | { readonly kind: "bad"; readonly file: string; readonly message: string };

/**
 * Reads all job files. A bad one is reported and does not stop the rest, whatever it does while it is imported.
 * Throws AppError `configuration` when JOBS_DIR cannot be read.
 */
export async function loadCatalogue(options: CatalogueOptions): Promise<Catalogue> {
  const jobsDir = await openJobsDir(options.jobsDir);
  const paths = await listJobFiles(jobsDir);
  const read = await mapAtOnce(paths, (file) => readJobFile(file, options));
  const jobs = read.filter((file) => file.kind === "job");
  return {
    jobsDir,
    definitions: jobs.map(({ definition }) => definition),
    files: new Map(jobs.map(({ definition, file }) => [definition.name, file])),
    traces: new Map(jobs.map(({ definition, trace }) => [definition.name, trace])),
    memoryMb: new Map(
      jobs.flatMap(({ definition, memoryMb }) =>
        memoryMb === null ? [] : [[definition.name, memoryMb] as const],
      ),
    ),
    badFiles: read
      .filter((file) => file.kind === "bad")
      .map(({ file, message }) => ({ file, message })),
    duplicates: findDuplicates(jobs),
  };
}

async function readJobFile(file: string, options: CatalogueOptions): Promise<ReadFile> {
  const { logger } = options;
  try {
    const loaded = await importAlone(file, options);
    if (loaded.kind === "refused") return reportBad(file, loaded.message, logger);
    const { trace, memoryMb, ...job } = loaded.job;
    const isolation = job.isolation ?? options.isolation ?? "warm";
    const refused = isolation === "process" ? null : (options.noThreads ?? null);
    if (refused !== null) return reportBad(file, `isolation: "${isolation}": ${refused}`, logger);
    const untraced = trace === "off" ? [] : loaded.untraced;
    const definition = { ...job, isolation, sourceHash: await sourceHash(file), untraced };
    checkSchema(definition);
    return { kind: "job", file, definition, trace, memoryMb };
  } catch (thrown) {
    return reportBad(file, messageOf(thrown), logger);
  }
}

async function importAlone(file: string, { spawn, logger }: CatalogueOptions): Promise<FileLoad> {
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

/** A schema may be JSON and still make no sense (an unknown $ref): better said at the start than at every task. */
function checkSchema(definition: JobDefinition): void {
  createParamsChecker()(definition, {});
}

function findDuplicates(jobs: readonly Extract<ReadFile, { kind: "job" }>[]): DuplicateName[] {
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
async function mapAtOnce<A, B>(items: readonly A[], map: (item: A) => Promise<B>): Promise<B[]> {
  const results: B[] = [];
  const open = items.entries();
  const work = async () => {
    for (const [index, item] of open) results[index] = await map(item);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return results;
}
