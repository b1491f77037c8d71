// The job lane: what an executor can run, and the attempts of jobs in job workers.
import type { AttemptEnd, AttemptLane, RunningAttempt } from "../core/attempt.ts";
import { type CheckedParams, createParamsChecker } from "../core/check-params.ts";
import { messageOf } from "../core/errors.ts";
import type { Logger } from "../core/logger.ts";
import { runsApart } from "../core/outcome.ts";
import type { ClaimedTask } from "../core/task.ts";
import { type JobCall, type JsonObject, type ParamsField, readCall } from "../core/task-content.ts";
import { openCrashDumps } from "../live/crash-dump.ts";
import { openTracing, type Tracing } from "../live/tracing.ts";
import { newMark, newOwner, type ProcessGroup } from "../process/process-sweep.ts";
import { NOTHING_RUNS } from "./attempt/attempt-stop.ts";
import { emptyView } from "./attempt/live-view.ts";
import { type RunJobDeps, runJob } from "./attempt/run-job.ts";
import { type CatalogueJob, importWays, loadCatalogue, type ReadJobFiles } from "./catalogue.ts";
import { openEntry, openProcessEntry } from "./host/entry.ts";
import { createJobProcess } from "./host/job-process.ts";
import { createJobThread } from "./host/job-thread.ts";
import type { Pool, PooledJob, PoolFigures } from "./host/pool.ts";
import { createPools } from "./host/pools.ts";
import { type Inherited, importBeside, inheritCatalogue, namesOf } from "./inherited.ts";
import { type Reread, readAgain } from "./reload.ts";
import type { ChangedFiles } from "./watch-files.ts";
import { platformError } from "./wire/error-data.ts";
import { MISFIT_REASON, misfitText } from "./wire/misfit.ts";

export interface JobLaneOptions {
  readonly jobsDir: string;
  /** Most attempts at once. */
  readonly slots: number;
  readonly logger: Logger;
  /** All that job code sees of the environment. Nothing secret; empty when left out. */
  readonly env?: Readonly<Record<string, string>>;
  /** Keeps the rewritten sources of jobs from one start to the next; a temporary folder when left out. */
  readonly cacheDir?: string;
  /** Keeps where attempts are for the case that the executor is killed; nothing is kept when left out. */
  readonly dumpsDir?: string;
  /** Why no job may run on a thread here; null (default): they may. Then jobs that say nothing run in processes. */
  readonly noThreads?: string | null;
  /** Begins the mark of all that jobs start, and of each job process. Default: random. */
  readonly owner?: string;
  /** What a dead executor served: jobs whose files are unchanged are served at once, and `importAll` imports them all. */
  readonly inherited?: readonly CatalogueJob[];
  /** Hears of each job process's group when it begins and when it is proven gone. */
  readonly onGroup?: (group: ProcessGroup, isAlive: boolean) => void;
}

export interface JobLane extends AttemptLane {
  readonly jobs: readonly string[];
  /** As it was when the lane was made. */
  readonly catalogue: Inherited;
  /**
   * Imports what was inherited, while that is served; from then on serves what the files say. Tells each catalogue.
   * Nothing is left to import where nothing was inherited.
   */
  importAll(publish: (found: ReadJobFiles) => void): Promise<void>;
  /** Reads what changed in JOBS_DIR and serves it from then on. Throws AppError `configuration` when it cannot be read. */
  reload(changed: ChangedFiles): Promise<Reread>;
  /** For logs and tests. */
  figures(): PoolFigures;
}

/** How far the ids of attempts count before they begin again: shared memory keeps them in 31 bits. */
const MAX_ID = 2_147_483_647;

/**
 * Reads the job files and gets job workers ready. With duplicates in the catalogue the caller must not start.
 * Throws AppError `configuration` when `jobsDir` cannot be read.
 *
 * @example
 * const lane = await createJobLane({ jobsDir, slots: 4, logger });
 */
export async function createJobLane(options: JobLaneOptions): Promise<JobLane> {
  const { jobsDir, slots, logger, noThreads = null, inherited } = options;
  const tracing = openTracing(options.cacheDir, logger);
  const entries = createEntries(tracing, logger);
  if (inherited === undefined) await entries.open();
  const spawn = spawnWays(options, { tracing, entries });
  const importing = { ...importWays(spawn), logger, noThreads };
  const catalogue =
    inherited === undefined
      ? { ...(await loadCatalogue({ jobsDir, ...importing })), changed: [] }
      : await inheritCatalogue(jobsDir, inherited);
  const deps = { jobsDir: catalogue.jobsDir, slots, spawn, logger };
  let serving = serve(catalogue.jobs, deps);
  if (inherited === undefined) serving.pool();

  /** Attempts that run end in the pool they have begun in. */
  async function change(jobs: readonly CatalogueJob[]): Promise<void> {
    const before = serving;
    serving = serve(jobs, deps);
    serving.pool();
    await before.pool().close();
  }

  async function importAll(publish: (found: ReadJobFiles) => void): Promise<void> {
    if (inherited === undefined) return;
    await entries.open();
    serving.pool();
    await importBeside(catalogue, importing, (found) => {
      const changing = textOf(found.jobs) === textOf(serving.of) ? null : change(found.jobs);
      changing?.catch((thrown: unknown) =>
        logger.error({ error: messageOf(thrown) }, "idle job workers could not be ended"),
      );
      publish(found);
    });
  }

  async function reload(changed: ChangedFiles): Promise<Reread> {
    const from = { jobsDir: catalogue.jobsDir, served: serving.of };
    const reread = await readAgain(from, changed, importing);
    if (reread.fresh.length > 0 || reread.gone.length > 0) await change(reread.jobs);
    return reread;
  }

  return {
    catalogue,
    get jobs() {
      return serving.names;
    },
    slots,
    start: (task) => serving.start(task),
    importAll,
    reload,
    figures: () => serving.pool().figures(),
    async close() {
      await serving.pool().close();
      tracing.close();
    },
  };
}

/** What job workers start from; before it is made they start from their sources, only slower. */
interface Entries {
  readonly open: () => Promise<void>;
  thread: string | null;
  process: string | null;
}

function createEntries({ folder }: Tracing, logger: Logger): Entries {
  const entries: Entries = {
    thread: null,
    process: null,
    async open() {
      [entries.thread, entries.process] = await Promise.all([
        openEntry(folder, logger),
        openProcessEntry(folder, logger),
      ]);
    },
  };
  return entries;
}

interface SpawnDeps {
  readonly tracing: Tracing;
  readonly entries: Entries;
}

function spawnWays(options: JobLaneOptions, { tracing, entries }: SpawnDeps) {
  const { env = {}, owner = newOwner(), dumpsDir } = options;
  const dumps = dumpsDir === undefined ? null : openCrashDumps(dumpsDir);
  return {
    thread: () => {
      const { sources } = tracing;
      return createJobThread(env, {
        entry: entries.thread,
        sources,
        dumps,
        mark: newMark(owner),
      });
    },
    process: () => {
      const { thread: entry, process: processEntry } = entries;
      return createJobProcess({ ...options, owner, env, entry, processEntry, tracing });
    },
  };
}

/** Jobs that can be run, and what runs them. */
interface Serving {
  readonly of: readonly CatalogueJob[];
  readonly names: readonly string[];
  /** Opened when it is first asked for: it gets job workers ready, which takes processor time. */
  readonly pool: () => Pool;
  readonly start: AttemptLane["start"];
}

interface ServingDeps {
  readonly jobsDir: string;
  readonly slots: number;
  readonly spawn: ReturnType<typeof spawnWays>;
  readonly logger: Logger;
}

function serve(of: readonly CatalogueJob[], deps: ServingDeps): Serving {
  const jobs = of.map((job) => ({ ...job, pooled: pooledJob(job) }));
  let opened: Pool | null = null;
  const pool = () => {
    opened ??= createPools({ ...deps, jobs: jobs.map(({ pooled }) => pooled) });
    return opened;
  };
  const byName = new Map(jobs.flatMap((job) => namesOf(job).map((name) => [name, job])));
  const start = createStarter(byName, deps, pool);
  return { of, names: [...byName.keys()], pool, start };
}

/** Equal for the same jobs, whichever way they came and in whatever order. */
function textOf(jobs: readonly CatalogueJob[]): string {
  return JSON.stringify(jobs.toSorted((a, b) => (a.file < b.file ? -1 : 1)));
}

interface KnownJob extends CatalogueJob {
  readonly pooled: PooledJob;
}

function pooledJob({ definition, file, trace, memoryMb }: CatalogueJob): PooledJob {
  const { name, isolation, sourceHash } = definition;
  return { name, isolation, trace, file, sourceHash, memoryMb };
}

function createStarter(
  byName: ReadonlyMap<string, KnownJob>,
  deps: Omit<RunJobDeps, "pool">,
  pool: () => Pool,
): AttemptLane["start"] {
  const check = createParamsChecker();
  let lastId = 0;

  return (task) => {
    const job = byName.get(task.job ?? "");
    // Not ours to fail: another executor may know it.
    if (job === undefined) return endedAttempt(task, { outcome: "interrupted" });
    const params = readParams(task, ({ params: given, field }) =>
      check(job.definition, given, field),
    );
    if (params.kind === "refused") return endedAttempt(task, params.end);
    const pooled = runsApart(task) ? apart(job.pooled, task, deps.logger) : job.pooled;
    lastId = (lastId % MAX_ID) + 1;
    const timeoutMs = Math.min(task.timeoutMs, job.definition.timeoutMs ?? task.timeoutMs);
    const { text, uncheckedField } = params;
    return runJob(
      { ...deps, pool: pool() },
      { task, job: pooled, params: text, uncheckedField, timeoutMs, id: lastId },
    );
  };
}

/** In a process of its own, so that what it may do to its process is its own end, and charged. */
function apart(job: PooledJob, { taskId, interruptions }: ClaimedTask, logger: Logger): PooledJob {
  logger.warn(
    { task_id: taskId, job: job.name, interruptions },
    "the task died with many executors that were told to stop: it runs in a process of its own",
  );
  return { ...job, isolation: "process" };
}

type ReadParams =
  /** `uncheckedField`: where they were, when only the job worker may finish the check. */
  | { readonly kind: "params"; readonly text: string; readonly uncheckedField: ParamsField | null }
  | { readonly kind: "refused"; readonly end: AttemptEnd };

type AskedParams = Pick<JobCall, "params" | "field">;

const NO_PARAMS: AskedParams = { params: {}, field: "params" };

/** They were checked when the task was created, but the job may have changed since: no retry can help then. */
function readParams(task: ClaimedTask, check: (call: AskedParams) => CheckedParams): ReadParams {
  try {
    const call: AskedParams = readCall(JSON.parse(task.content) as JsonObject) ?? NO_PARAMS;
    const { errors, isWhole, meant = call.params } = check(call);
    if (errors.length > 0) return refuse(MISFIT_REASON, misfitText(errors));
    const uncheckedField = isWhole ? null : call.field;
    return { kind: "params", text: JSON.stringify(meant), uncheckedField };
  } catch (thrown) {
    return refuse("content_invalid", `the content cannot be read: ${messageOf(thrown)}`);
  }
}

function refuse(reason: string, message: string): ReadParams {
  const error = platformError(reason, message, true);
  return { kind: "refused", end: { outcome: "failed", error } };
}

/** An attempt that ends before a job worker is asked for. */
function endedAttempt(task: ClaimedTask, end: AttemptEnd): RunningAttempt {
  return {
    task,
    ended: Promise.resolve(end),
    gone: Promise.resolve(NOTHING_RUNS),
    inspect: () => Promise.resolve(emptyView(performance.now())),
    stop: () => undefined,
  };
}
