// The job lane: what an executor can run, and the attempts of jobs in job workers.
import type { AttemptEnd, AttemptLane, RunningAttempt } from "../core/attempt.ts";
import { createParamsChecker } from "../core/check-params.ts";
import { type FieldError, messageOf } from "../core/errors.ts";
import type { JobDefinition } from "../core/job.ts";
import type { Logger } from "../core/logger.ts";
import type { ClaimedTask } from "../core/task.ts";
import { type JsonObject, readCall } from "../core/task-content.ts";
import { NOTHING_RUNS } from "../job/attempt-stop.ts";
import { type Catalogue, importWays, loadCatalogue } from "../job/catalogue.ts";
import { openEntry, openProcessEntry } from "../job/entry.ts";
import { platformError } from "../job/error-data.ts";
import { createJobProcess } from "../job/job-process.ts";
import { createJobThread } from "../job/job-thread.ts";
import { openRemains } from "../job/live/remains.ts";
import { openTracing } from "../job/live/tracing.ts";
import { emptyView } from "../job/live.ts";
import type { PooledJob, PoolFigures } from "../job/pool.ts";
import { createPools } from "../job/pools.ts";
import { newMark, newOwner, type ProcessGroup } from "../job/process-sweep.ts";
import { type RunJobDeps, runJob } from "../job/run-job.ts";

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
  readonly remainsDir?: string;
  /** Why no job may run on a thread here; null (default): they may. Then jobs that say nothing run in processes. */
  readonly noThreads?: string | null;
  /** Begins the mark of all that jobs start, and of each job process. Default: random. */
  readonly owner?: string;
  /** Hears of each job process's group when it begins and when it is proven gone. */
  readonly onGroup?: (group: ProcessGroup, isAlive: boolean) => void;
}

export interface JobLane extends AttemptLane {
  readonly jobs: readonly string[];
  readonly catalogue: Catalogue;
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
  const { slots, logger, env = {}, noThreads = null, owner = newOwner() } = options;
  const tracing = openTracing(options.cacheDir, logger);
  const [entry, processEntry] = await Promise.all([
    openEntry(tracing.folder, logger),
    openProcessEntry(tracing.folder, logger),
  ]);
  const { remainsDir } = options;
  const remains = remainsDir === undefined ? null : openRemains(remainsDir);
  const spawn = {
    thread: () =>
      createJobThread(env, { entry, sources: tracing.sources, remains, mark: newMark(owner) }),
    process: () => createJobProcess({ ...options, owner, env, entry, processEntry, tracing }),
  };
  const catalogue = await loadCatalogue({
    jobsDir: options.jobsDir,
    ...importWays(spawn),
    logger,
    noThreads,
  });
  const jobs = catalogue.definitions.map((definition) => knownJob(definition, catalogue));
  const pool = createPools({ jobs: jobs.map(({ pooled }) => pooled), slots, spawn, logger });
  const byName = new Map(jobs.flatMap((job) => namesOf(job.definition).map((name) => [name, job])));
  return {
    catalogue,
    jobs: [...byName.keys()],
    slots,
    start: createStarter(byName, { pool, jobsDir: catalogue.jobsDir, logger }),
    figures: () => pool.figures(),
    async close() {
      await pool.close();
      tracing.close();
    },
  };
}

interface KnownJob {
  readonly definition: JobDefinition;
  readonly pooled: PooledJob;
}

function knownJob(definition: JobDefinition, { files, traces, memoryMb }: Catalogue): KnownJob {
  const { name, isolation, sourceHash } = definition;
  const file = files.get(name) ?? "";
  const trace = traces.get(name) ?? "lean";
  const limits = { memoryMb: memoryMb.get(name) ?? null };
  return { definition, pooled: { name, isolation, trace, file, sourceHash, ...limits } };
}

function namesOf({ name, aliases }: JobDefinition): string[] {
  return [name, ...aliases];
}

function createStarter(
  byName: ReadonlyMap<string, KnownJob>,
  deps: RunJobDeps,
): AttemptLane["start"] {
  const check = createParamsChecker();
  let lastId = 0;

  return (task) => {
    const job = byName.get(task.job ?? "");
    // Not ours to fail: another executor may know it.
    if (job === undefined) return endedAttempt(task, { outcome: "interrupted" });
    const params = readParams(task, (given) => check(job.definition, given));
    if (params.kind === "refused") return endedAttempt(task, params.end);
    lastId = (lastId % MAX_ID) + 1;
    const timeoutMs = Math.min(task.timeoutMs, job.definition.timeoutMs ?? task.timeoutMs);
    return runJob(deps, { task, job: job.pooled, params: params.text, timeoutMs, id: lastId });
  };
}

type ReadParams =
  | { readonly kind: "params"; readonly text: string }
  | { readonly kind: "refused"; readonly end: AttemptEnd };

/** They were checked when the task was created, but the job may have changed since: no retry can help then. */
function readParams(
  task: ClaimedTask,
  check: (params: unknown) => readonly FieldError[],
): ReadParams {
  try {
    const { params } = readCall(JSON.parse(task.content) as JsonObject) ?? { params: {} };
    const errors = check(params);
    if (errors.length === 0) return { kind: "params", text: JSON.stringify(params) };
    const problems = errors.map(({ field, message }) => `${field} ${message}`).join("; ");
    return refuse("params_invalid", `the params do not fit the job: ${problems}`);
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
