// Creates and claims over the nodes of a cluster, and remembers what was answered.
import { setTimeout as delay } from "node:timers/promises";
import { AppError } from "../../src/core/errors.ts";
import type { NewTask } from "../../src/core/task.ts";
import type { Store } from "../../src/store/store.ts";
import { claimOf, finishOf, openCorner, sampleTask } from "../contract/store/samples.ts";

const BATCH = 20;
const SLOTS = 10;
const PAUSE_MS = 20;
/** Longer than the traffic lasts: what is claimed twice was claimed while it was held. */
const LEASE_MS = 600_000;

export interface Traffic {
  readonly applicationId: number;
  /** Answered ids by number. */
  readonly answered: ReadonlyMap<string, number>;
  /** How often each task was claimed. */
  readonly claims: ReadonlyMap<number, number>;
  readonly rejected: readonly unknown[];
  /** Calls that were told to come again. */
  readonly refusals: number;
  /** Ends it and returns when the last call was answered. */
  stop(): Promise<void>;
}

/** Two that create and one that claims on each store, until it is stopped; `caughtUp`: all nodes know the application. */
export async function startTraffic(
  stores: readonly Store[],
  caughtUp: () => Promise<unknown>,
): Promise<Traffic> {
  const [first] = stores;
  if (first === undefined) throw new Error("traffic needs a store");
  const { applicationId, job } = await openCorner(first);
  await caughtUp();
  const answered = new Map<string, number>();
  const claims = new Map<number, number>();
  const rejected: unknown[] = [];
  const ended = new AbortController();
  let refusals = 0;

  const create = async (store: Store) => {
    const tasks = Array.from({ length: BATCH }, () => sampleTask(applicationId, { job }));
    for (const [place, result] of (await store.tasks.create(tasks)).entries()) {
      if (result.kind === "rejected") rejected.push(result.cause);
      else answered.set((tasks[place] as NewTask).taskNo, result.id);
    }
  };
  const claim = async (store: Store) => {
    const { claimed } = await store.tasks.turn([], claimOf(job, SLOTS, { leaseMs: LEASE_MS }));
    for (const { taskId } of claimed) claims.set(taskId, (claims.get(taskId) ?? 0) + 1);
    await store.tasks.turn(
      claimed.map((task) => finishOf(task)),
      null,
    );
  };
  const repeat = async (work: () => Promise<void>) => {
    while (!ended.signal.aborted) {
      await work().catch((thrown) => {
        if (!(thrown instanceof AppError) || thrown.code !== "unavailable") throw thrown;
        refusals += 1;
      });
      await delay(PAUSE_MS);
    }
  };
  const loops = stores.flatMap((store) => [
    repeat(() => create(store)),
    repeat(() => create(store)),
    repeat(() => claim(store)),
  ]);
  return {
    applicationId,
    answered,
    claims,
    rejected,
    get refusals() {
      return refusals;
    },
    stop: async () => {
      ended.abort();
      await Promise.all(loops);
    },
  };
}
