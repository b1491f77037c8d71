// Keeps job workers ready: each serves one job only, one attempt at a time, and is replaced when in doubt.

import { messageOf } from "../../core/errors.ts";
import { failpoint } from "../../core/failpoints.ts";
import type { Isolation, Trace } from "../../core/job.ts";
import type { Logger } from "../../core/logger.ts";
import { SHARED_WORDS } from "../wire/shared-memory.ts";
import type { JobHost, SpawnHost } from "./job-host.ts";
import { loadFile, type RefusedLoad } from "./load-file.ts";

/** What the pool must know of a job. */
export interface PooledJob {
  readonly name: string;
  /** Absolute path of its file. */
  readonly file: string;
  readonly isolation: Isolation;
  readonly trace: Trace;
  /** Memory limit of its process in MB; null means no limit. */
  readonly memoryMb?: number | null;
  /** Of its file when the catalogue was made; lowercase hex SHA-256. */
  readonly sourceHash?: string;
}

/** A job worker with its job loaded. */
export interface PooledJobWorker {
  readonly host: JobHost;
  readonly job: PooledJob;
  /** Attempts it has ended. */
  served: number;
}

export type Taken =
  | { readonly kind: "taken"; readonly jobWorker: PooledJobWorker }
  /** The job's file cannot be loaded (any more). */
  | RefusedLoad;

/** A job worker on its way to an attempt. */
export interface Taking {
  readonly taken: Promise<Taken>;
  /** The job worker that loads the job for it, and has sent no other message before; null: one that had loaded it was idle. */
  readonly loading: JobHost | null;
  /**
   * The attempt does not want it any more. What still imports the job's file is killed, since importing runs code that
   * may never end; what has loaded it goes back. Settles with the kill's proof and what it is called in a receipt.
   */
  abandon(): Promise<Abandoned>;
}

export interface Abandoned {
  readonly killed: boolean;
  readonly method: JobHost["method"] | "none";
}

/** Counts since the start, for logs and tests. */
export interface PoolFigures {
  /** Jobs of the idle job workers, least recently used first. */
  readonly idle: readonly string[];
  readonly spares: number;
  readonly spawned: number;
  /** Killed without proof of death: they may still burn. */
  readonly unkillable: number;
  /** `ctx` calls of attempts that had ended. */
  readonly droppedCalls: number;
}

export interface Pool {
  /**
   * An idle job worker of the job, else a spare or a new one that loads it now. `taken` rejects when none can be started.
   * With the id of its attempt the place of the import can be found even after the death of the executor.
   */
  take(job: PooledJob, attemptId?: number): Taking;
  /** After an attempt that ended well and left nothing busy. Settles when the job worker may be forgotten. */
  giveBack(jobWorker: PooledJobWorker): Promise<boolean>;
  /** Kills it and starts another for its job; true when its death was proven. */
  replace(jobWorker: PooledJobWorker): Promise<boolean>;
  figures(): PoolFigures;
  /** Kills what is idle. */
  close(): Promise<void>;
}

export interface PoolOptions {
  readonly jobs: readonly PooledJob[];
  readonly slots: number;
  readonly spawn: SpawnHost;
  readonly logger: Logger;
  /** Most that may be idle with a job loaded, and how many stand ready without. Default: what suits threads. */
  readonly limits?: PoolLimits;
}

export interface PoolLimits {
  readonly idle: number;
  readonly spares: number;
  /** Whether job workers load their jobs at the start, before an attempt needs them. */
  readonly isPrewarmed: boolean;
}

const MAX_ATTEMPTS = 1_000;
const MAX_SPARES = 4;

/** Starts with job workers for the first jobs, and spares that have loaded none. */
export function createPool({ jobs, slots, spawn, logger, limits }: PoolOptions): Pool {
  const idle: PooledJobWorker[] = [];
  const spares: JobHost[] = [];
  const spareLimit = limits?.spares ?? sparesFor(jobs, slots);
  const idleLimit = limits?.idle ?? Math.max(1, 2 * slots - spareLimit);
  const counts = { spawned: 0, unkillable: 0, droppedCalls: 0 };
  let isClosed = false;

  const spawnCounted = () => {
    counts.spawned += 1;
    return spawn();
  };

  const killings = new WeakMap<JobHost, Promise<boolean>>();
  const kill = (host: JobHost): Promise<boolean> => {
    const killing = killings.get(host) ?? killOnce(host);
    killings.set(host, killing);
    return killing;
  };
  const killOnce = async (host: JobHost): Promise<boolean> => {
    const isDead = await host.kill();
    failpoint("job-worker-killed");
    counts.droppedCalls += Atomics.load(host.memory.words, SHARED_WORDS.dropped);
    if (!isDead) counts.unkillable += 1;
    return isDead;
  };

  const refillSpares = async (): Promise<void> => {
    while (!isClosed && spares.length < spareLimit) {
      const host = spawnCounted();
      spares.push(host);
      const leave = () => remove(spares, host) && ignore(kill(host), logger);
      host.listen({ message: leave, death: leave });
    }
  };

  const load = async (host: JobHost, job: PooledJob, attemptId?: number): Promise<Taken> => {
    const { file, trace, memoryMb = null } = job;
    const loaded = await loadFile(host, { file, trace, memoryMb, ...(attemptId && { attemptId }) });
    if (loaded.kind === "loaded") return { kind: "taken", jobWorker: { host, job, served: 0 } };
    // Afterwards it cannot be asked where it was.
    await host.refresh();
    ignore(kill(host), logger);
    if (loaded.isUnstarted) throw new Error(loaded.message);
    return loaded;
  };

  /** From here on only its crash or death is of interest. */
  const rest = (jobWorker: PooledJobWorker): void => {
    const { host } = jobWorker;
    const leave = () => remove(idle, jobWorker) && ignore(kill(host), logger);
    idle.push(jobWorker);
    host.listen({ message: ({ kind }) => kind === "crashed" && leave(), death: leave });
    const eldest = idle.length > idleLimit ? idle.shift() : undefined;
    if (eldest !== undefined) ignore(kill(eldest.host), logger);
  };

  const prewarm = async (job: PooledJob): Promise<void> => {
    if (isClosed || idleLimit === 0 || job.isolation === "fresh") return;
    const taken = await load(spawnCounted(), job);
    if (taken.kind === "refused") return;
    if (isClosed) await kill(taken.jobWorker.host);
    else rest(taken.jobWorker);
  };

  const giveBack = async (jobWorker: PooledJobWorker): Promise<boolean> => {
    jobWorker.served += 1;
    if (killings.has(jobWorker.host)) return kill(jobWorker.host);
    if (isClosed || jobWorker.job.isolation === "fresh") return kill(jobWorker.host);
    if (jobWorker.served >= MAX_ATTEMPTS) return replace(jobWorker);
    rest(jobWorker);
    return true;
  };

  const startLoading = (job: PooledJob, attemptId?: number): Taking => {
    const host = spares.shift() ?? spawnCounted();
    let loaded: PooledJobWorker | null = null;
    const taken = load(host, job, attemptId).then((result) => {
      if (result.kind === "taken") loaded = result.jobWorker;
      ignore(refillSpares(), logger);
      return result;
    });
    const abandon = async (): Promise<Abandoned> => {
      if (loaded === null) {
        const killing = kill(host);
        ignore(refillSpares(), logger);
        return { killed: await killing, method: host.method };
      }
      return { killed: await giveBack(loaded), method: "none" };
    };
    return { taken, loading: host, abandon };
  };

  /** One for one: where many are killed, so many are being made ready, and no attempt waits for a start. */
  const replace = (jobWorker: PooledJobWorker): Promise<boolean> => {
    const killing = kill(jobWorker.host);
    ignore(
      killing.then(() => prewarm(jobWorker.job)),
      logger,
    );
    return killing;
  };

  ignore(refillSpares(), logger);
  const first = limits?.isPrewarmed === false ? [] : jobs.slice(0, idleLimit);
  ignore(prewarmAll(first, prewarm), logger);

  return {
    take(job, attemptId) {
      const index = idle.findLastIndex((jobWorker) => jobWorker.job.name === job.name);
      const [warm] = index < 0 ? [] : idle.splice(index, 1);
      return warm === undefined
        ? startSafely(() => startLoading(job, attemptId))
        : readyOne(warm, giveBack);
    },
    giveBack,
    replace,
    figures: () => ({
      ...counts,
      idle: idle.map(({ job }) => job.name),
      spares: spares.length,
    }),
    async close() {
      isClosed = true;
      const hosts = [...idle.splice(0).map(({ host }) => host), ...spares.splice(0)];
      await Promise.all(hosts.map(kill));
    },
  };
}

/** Nothing of a thread that could not be started runs. */
function startSafely(start: () => Taking): Taking {
  try {
    return start();
  } catch (thrown) {
    const nothing = async () => ({ killed: true, method: "none" }) as const;
    const error = thrown instanceof Error ? thrown : new Error(messageOf(thrown));
    return { taken: Promise.reject(error), loading: null, abandon: nothing };
  }
}

function readyOne(jobWorker: PooledJobWorker, giveBack: Pool["giveBack"]): Taking {
  return {
    taken: Promise.resolve({ kind: "taken", jobWorker }),
    loading: null,
    abandon: async () => ({ killed: await giveBack(jobWorker), method: "none" }),
  };
}

/** Fresh jobs take one for every attempt; warm ones only when a new job worker is needed. */
function sparesFor(jobs: readonly PooledJob[], slots: number): number {
  const hasFresh = jobs.some(({ isolation }) => isolation === "fresh");
  return hasFresh ? Math.min(slots, MAX_SPARES) : 1;
}

/** One after the other: a start must not take every core from the first attempts. */
async function prewarmAll(
  jobs: readonly PooledJob[],
  prewarm: (job: PooledJob) => Promise<void>,
): Promise<void> {
  for (const job of jobs) await prewarm(job);
}

function remove<T>(list: T[], item: T): boolean {
  const index = list.indexOf(item);
  if (index < 0) return false;
  list.splice(index, 1);
  return true;
}

/** For work in the background whose failure only costs speed. */
function ignore(work: Promise<unknown>, logger: Logger): void {
  work.catch((thrown: unknown) => {
    logger.warn({ error: messageOf(thrown) }, "a job worker could not be prepared");
  });
}
