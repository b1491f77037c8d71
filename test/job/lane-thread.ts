// A consumer thread in miniature: a job lane whose job workers are threads inside this one.
import { parentPort, workerData } from "node:worker_threads";
import type { ClaimedTask } from "../../src/core/task.ts";
import { createJobLane } from "../../src/job/job-lane.ts";

const say = () => undefined;
const logger = { debug: say, info: say, warn: say, error: say };
const { jobsDir, tasks } = workerData as { jobsDir: string; tasks: readonly ClaimedTask[] };

const lane = await createJobLane({ jobsDir, slots: 2, logger });
const results: unknown[] = [];
for (const task of tasks) {
  const attempt = lane.start(task);
  results.push({ end: await attempt.ended, gone: await attempt.gone });
}
parentPort?.postMessage(results);
await lane.close();
