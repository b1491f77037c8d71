// The two pools of a job lane as one: threads for most jobs, processes for those that ask for one.
import type { Logger } from "../../core/logger.ts";
import type { SpawnHost } from "./job-host.ts";
import { createPool, type Pool, type PooledJob, type PoolOptions } from "./pool.ts";

export interface PoolsOptions {
  readonly jobs: readonly PooledJob[];
  readonly slots: number;
  readonly spawn: { readonly thread: SpawnHost; readonly process: SpawnHost };
  readonly logger: Logger;
}

/** A process costs 50 MB and more while it waits. */
const MOST_SPARES = 2;

/** Opens only the pools that have jobs. */
export function createPools({ jobs, slots, spawn, logger }: PoolsOptions): Pool {
  const inProcesses = jobs.filter(isProcess);
  const onThreads = jobs.filter((job) => !isProcess(job));
  const threads = createPool({ ...limitsFor(onThreads), slots, spawn: spawn.thread, logger });
  const limits = { idle: slots, spares: Math.min(slots, MOST_SPARES), isPrewarmed: false };
  const processes = createPool({
    limits,
    ...limitsFor(inProcesses),
    slots,
    spawn: spawn.process,
    logger,
  });
  const poolOf = (job: PooledJob) => (isProcess(job) ? processes : threads);
  return {
    take: (job, attemptId) => poolOf(job).take(job, attemptId),
    giveBack: (jobWorker) => poolOf(jobWorker.job).giveBack(jobWorker),
    replace: (jobWorker) => poolOf(jobWorker.job).replace(jobWorker),
    figures() {
      const [a, b] = [threads.figures(), processes.figures()];
      return {
        idle: [...a.idle, ...b.idle],
        spares: a.spares + b.spares,
        spawned: a.spawned + b.spawned,
        unkillable: a.unkillable + b.unkillable,
        droppedCalls: a.droppedCalls + b.droppedCalls,
      };
    },
    async close() {
      await Promise.all([threads.close(), processes.close()]);
    },
  };
}

function isProcess({ isolation }: PooledJob): boolean {
  return isolation === "process";
}

/** Nothing stands ready where there are no jobs for it. */
function limitsFor(jobs: readonly PooledJob[]): Pick<PoolOptions, "jobs" | "limits"> {
  if (jobs.length > 0) return { jobs };
  return { jobs, limits: { idle: 0, spares: 0, isPrewarmed: false } };
}
