// Suite: everything at once over several connections; afterwards the books must balance.
import { describe, expect, test } from "bun:test";
import { setImmediate } from "node:timers/promises";
import type { ClaimedTask } from "../../../src/core/task.ts";
import type { Finish, Store } from "../../../src/store/store.ts";
import { withMigratedStore } from "./migrated-store.ts";
import {
  claimOf,
  finishOf,
  idOf,
  leaseOf,
  openCorner,
  present,
  retryOf,
  sampleTask,
} from "./samples.ts";
import type { CreateTestDatabase, TestDatabase } from "./world.ts";

const TASKS = 400;
const CONSUMERS = 4;
const MOST_ATTEMPTS = 3;

export function stormSuite(createDatabase: CreateTestDatabase): void {
  describe("a storm of creates, turns, cancels, redeliveries, renewals and reaps", () => {
    let database: TestDatabase;
    let store: Store;

    withMigratedStore(createDatabase, (opened) => {
      ({ database, store } = opened);
    });

    test("fails nobody, and leaves each task in one state with one attempt per fence", async () => {
      const corner = await openCorner(store);
      const { applicationId, job } = corner;
      const numbers = Array.from({ length: TASKS }, (_, i) => `storm-${(i * 37) % TASKS}`);
      const creators = [database.open(), database.open()].map((each) =>
        inSteps(numbers, 25, (some) =>
          each.tasks.create(some.map((taskNo) => sampleTask(applicationId, { job, taskNo }))),
        ),
      );
      const created = Promise.all(creators);
      let isCreated = false;
      const consumers = Array.from({ length: CONSUMERS }, (_, i) =>
        consume(database.open(), claimOf(job, 6, { serviceId: `executor-${i}` }), () => isCreated),
      );
      const ids = (await created).flat(2).map(idOf);
      const meddling = meddle(database.open(), applicationId, [...new Set(ids)]);
      isCreated = true;
      await meddling;
      const ended = (await Promise.all(consumers)).flat();

      const rows = await database.query(
        `SELECT tasks.id, status, tasks.fence, COUNT(attempts.id) AS attempts,
           COUNT(attempt_ends.attempt_id) AS ends
         FROM tasks LEFT JOIN attempts ON attempts.task_id = tasks.id
         LEFT JOIN attempt_ends ON attempt_ends.attempt_id = attempts.id
         WHERE application_id = ${applicationId} GROUP BY tasks.id, status, tasks.fence`,
      );
      expect(rows).toHaveLength(TASKS);
      for (const row of rows) {
        expect(["succeeded", "cancelled", "failed", "pending"]).toContain(String(row["status"]));
        expect([Number(row["attempts"]), Number(row["ends"])]).toEqual([
          Number(row["fence"]),
          Number(row["fence"]),
        ]);
      }
      const keys = ended.map(({ taskId, fence }) => `${taskId} ${fence}`);
      expect(new Set(keys).size).toBe(keys.length);
    });
  });
}

/** Claims, renews, reaps and finishes until nothing is due; resolves to what it has written. */
async function consume(
  store: Store,
  claim: ReturnType<typeof claimOf>,
  isCreated: () => boolean,
): Promise<{ taskId: number; fence: number }[]> {
  const written: { taskId: number; fence: number }[] = [];
  let running: readonly ClaimedTask[] = [];
  for (;;) {
    const isLast = isCreated();
    await store.tasks.renew(running.map(leaseOf), 60_000);
    await store.tasks.cancelRequests(running.map(leaseOf));
    const orphans = await store.tasks.expired(10);
    expect(orphans).toEqual([]);
    const turn = await store.tasks.turn(running.map(endOf), claim);
    written.push(...turn.finished);
    running = turn.claimed;
    if (isLast && running.length === 0 && !turn.moreDue) return written;
    // SQLite answers without leaving the microtasks: rivals whose retry waits on a timer would starve.
    await setImmediate();
  }
}

/** Every third attempt succeeds, the others are tried again, but not for ever. */
function endOf(task: ClaimedTask): Finish {
  const isDone = task.attempt >= MOST_ATTEMPTS || (task.taskId + task.attempt) % 3 === 0;
  return isDone ? finishOf(task) : retryOf(task);
}

/** Cancels every second task and redelivers every third one, while they run. */
async function meddle(store: Store, applicationId: number, ids: readonly number[]): Promise<void> {
  await inSteps(ids, 8, (some) =>
    Promise.all(
      some.map(async (id, place) => {
        const reference = { applicationId, id };
        if (id % 2 === 0) await store.tasks.cancel({ reference, nonce: `cancel-${id}` });
        if (id % 3 === 0) await store.tasks.redeliver({ reference, nonce: `redeliver-${id}` });
        if (place === 0) await store.tasks.settle([], true);
        return present(await store.tasks.find(reference)).task.status;
      }),
    ),
  );
}

async function inSteps<Item, Result>(
  items: readonly Item[],
  size: number,
  step: (some: readonly Item[]) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = [];
  for (let i = 0; i < items.length; i += size) results.push(await step(items.slice(i, i + size)));
  return results;
}
