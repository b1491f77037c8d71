// How many attempts of a trivial job an executor does per second, when enough of them are due.
import type { ApiClient } from "../test/support/api-client.ts";
import { createTasks, type DueAfter, finishedAt, readEnded, startedAt } from "./ended-tasks.ts";
import type { Cell } from "./report.ts";

/** A row: jobs per second from the first start to the last finish, tasks, seconds. */
export async function measureJobRate(
  client: ApiClient,
  dueAfter: DueAfter,
  { job, tasks }: { readonly job: string; readonly tasks: number },
): Promise<Cell[]> {
  // All due at the same moment, so that creating them does not slow them down.
  const dueAt = dueAfter(tasks);
  const ids = await createTasks(
    client,
    job,
    Array.from({ length: tasks }, () => dueAt),
  );
  if (Date.now() > dueAt)
    throw new Error("creating the tasks took longer than until they were due");
  const details = await readEnded(client, ids);
  const firstStart = Math.min(...details.map(startedAt));
  const lastFinish = Math.max(...details.map(finishedAt));
  const seconds = (lastFinish - firstStart) / 1000;
  return [job, tasks / seconds, `${tasks}`, seconds];
}
