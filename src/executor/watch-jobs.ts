// Serves job files as they are changed while the program runs, and says what that means for tasks that wait.
import { messageOf } from "../core/errors.ts";
import type { JobDefinition } from "../core/job.ts";
import type { Logger } from "../core/logger.ts";
import type { ReadJobFiles } from "../job/catalogue.ts";
import type { JobLane } from "../job/job-lane.ts";
import { watchFiles } from "../job/watch-files.ts";
import type { Store } from "../store/store.ts";
import { findMisfits } from "../use-cases/waiting-misfits.ts";

export interface WatchJobsDeps {
  readonly lane: Pick<JobLane, "catalogue" | "reload">;
  readonly store: Pick<Store, "tasks">;
  /** Hears what is served from then on. */
  readonly publish: (found: ReadJobFiles) => void;
  readonly logger: Logger;
}

/** More are counted, not named. */
const MOST_NAMED = 20;
const MOST_LOOKED_AT = 1_000;

/** Watches until the process ends. */
export async function watchJobs(deps: WatchJobsDeps): Promise<void> {
  const { lane, publish, logger } = deps;
  const { jobsDir } = lane.catalogue;
  await watchFiles(jobsDir, async (changed) => {
    try {
      const reread = await lane.reload(changed);
      publish(reread);
      const jobs = reread.fresh.map(({ name }) => name);
      logger.info({ jobs, gone: reread.gone }, "job files were read again");
      for (const definition of reread.fresh) await nameMisfits(definition, deps);
    } catch (thrown) {
      logger.error({ error: messageOf(thrown) }, "changed job files could not be read again");
    }
  });
  logger.info({ jobs_dir: jobsDir }, "watching job files: a changed one is read again");
}

async function nameMisfits(definition: JobDefinition, { store, logger }: WatchJobsDeps) {
  const misfits = await findMisfits(store, definition, MOST_LOOKED_AT);
  const { name: job } = definition;
  for (const { taskId, taskNo, errors } of misfits.slice(0, MOST_NAMED)) {
    const fields = errors.map(({ field, message }) => `${field} ${message}`).join("; ");
    const text = `a waiting task does not fit its changed job, and its next attempt will fail: ${fields}`;
    logger.warn({ task_id: taskId, task_no: taskNo, job }, text);
  }
  const more = misfits.length - MOST_NAMED;
  if (more > 0) logger.warn({ job, more }, "more waiting tasks do not fit their changed job");
}
