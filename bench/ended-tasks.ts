// Creates many tasks through the API and reads how their attempts went.
import { setTimeout as delay } from "node:timers/promises";
import { type ApiClient, type Detail, isEnded } from "../test/support/api-client.ts";
import { PARAMS } from "./sample.ts";

const AT_ONCE = 32;
const LOOK_EVERY_MS = 100;
const DEADLINE_MS = 60_000;
const AFTER_LAST_MS = 5_000;

/** A due time before which so many tasks are surely created. */
export type DueAfter = (tasks: number) => number;

const WARM_UP_TASKS = 300;
/** Creating while jobs run, as here, is slower than creating alone. */
const MARGIN_MS = 1_000;

/** Fills the pool of job workers, so that no first second is measured, and finds out how fast tasks are created. */
export async function warmUp(client: ApiClient, job: string): Promise<DueAfter> {
  const startedAt = performance.now();
  const now = Date.now();
  const ids = await createTasks(
    client,
    job,
    Array.from({ length: WARM_UP_TASKS }, () => now),
  );
  const msPerTask = (performance.now() - startedAt) / WARM_UP_TASKS;
  await readEnded(client, ids);
  return (tasks) => Math.ceil(Date.now() + MARGIN_MS + 1.5 * tasks * msPerTask);
}

/** Ids in the order of `runtimes`, epoch ms each. */
export function createTasks(
  client: ApiClient,
  job: string,
  runtimes: readonly number[],
): Promise<number[]> {
  return inParallel(runtimes, (runtime) => client.createJob(job, PARAMS, { runtime }));
}

/** Waits until the last task has ended, looking seldom so as not to disturb, then reads all of them. */
export async function readEnded(client: ApiClient, ids: readonly number[]): Promise<Detail[]> {
  const last = ids.at(-1);
  if (last === undefined) return [];
  const deadline = performance.now() + DEADLINE_MS;
  while (performance.now() < deadline && !isEnded(await client.detail(last))) {
    await delay(LOOK_EVERY_MS);
  }
  const details = await inParallel(ids, (id) => client.until(id, isEnded, AFTER_LAST_MS));
  for (const detail of details) expectOneSuccess(detail);
  return details;
}

/** When the only attempt of a task was claimed, epoch ms on the database's clock. */
export function startedAt(detail: Detail): number {
  return detail.attempts[0]?.started_at ?? Number.NaN;
}

export function finishedAt(detail: Detail): number {
  return detail.attempts[0]?.finished_at ?? Number.NaN;
}

function expectOneSuccess(detail: Detail): void {
  if (detail.status === "succeeded" && detail.attempts.length === 1) return;
  throw new Error(`a bench task did not simply succeed: ${JSON.stringify(detail)}`);
}

async function inParallel<Item, Result>(
  items: readonly Item[],
  work: (item: Item) => Promise<Result>,
): Promise<Result[]> {
  const results = new Map<number, Result>();
  const entries = items.entries();
  const serve = async () => {
    for (const [at, item] of entries) results.set(at, await work(item));
  };
  await Promise.all(Array.from({ length: AT_ONCE }, serve));
  return [...results].sort(([a], [b]) => a - b).map(([, result]) => result);
}
