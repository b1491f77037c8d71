// Claims as fast as a consumer can, on a SQLite store of one work tree: each question is one measurement.
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Store } from "../src/store/store.ts";
import type * as UseCaseWorld from "../test/support/use-case-world.ts";
import { answerParent } from "./child.ts";

export interface ClaimSpec {
  /** The root of the work tree: its own store and its own idea of a claim are measured. */
  readonly tree: string;
  readonly tasks: number;
}

export interface Claimed {
  readonly perSecond: number;
  readonly cpuMs: number;
}

const CREATED_AT_ONCE = 500;
const CLAIMED_AT_ONCE = 64;

answerParent((spec) => claimAll(spec as ClaimSpec));

async function claimAll({ tree, tasks }: ClaimSpec): Promise<Claimed> {
  const path = join(tree, "test", "support", "use-case-world.ts");
  const support = (await import(pathToFileURL(path).href)) as typeof UseCaseWorld;
  const world = await support.createWorld();
  try {
    const { id } = await support.addApplication(world, { appKey: "bench" });
    await createMany(world.store, tasks, (store, at) =>
      support.addTask(store, { applicationId: id, taskNo: `task-${at}` }),
    );
    const store = claimingMany(world.store);
    const [startedMs, cpuBefore] = [performance.now(), process.cpuUsage()];
    for (let claimed = 0; claimed < tasks; claimed += CLAIMED_AT_ONCE) {
      await support.claimTask(store);
    }
    const { user, system } = process.cpuUsage(cpuBefore);
    const perSecond = (tasks * 1000) / (performance.now() - startedMs);
    return { perSecond, cpuMs: (user + system) / 1000 };
  } finally {
    await world.close();
  }
}

/** Tasks as the tree's own tests make them, gathered into larger statements. */
async function createMany(
  store: Store,
  count: number,
  add: (store: Store, at: number) => Promise<number>,
): Promise<void> {
  type NewTasks = Parameters<Store["tasks"]["create"]>[0];
  const gathered: NewTasks[number][] = [];
  const create: Store["tasks"]["create"] = async (tasks) => {
    gathered.push(...tasks);
    return tasks.map(() => ({ kind: "created", id: 0 }));
  };
  for (let at = 0; at < count; at++) await add(withTasks(store, { create }), at);
  for (let at = 0; at < count; at += CREATED_AT_ONCE) {
    await store.tasks.create(gathered.slice(at, at + CREATED_AT_ONCE));
  }
}

/** A claim as the tree's own tests make it, with as many free slots as a busy executor has. */
function claimingMany(store: Store): Store {
  const coroutineIds = Array.from({ length: CLAIMED_AT_ONCE }, (_, at) => at + 1);
  return withTasks(store, {
    turn: (finishes, claim) =>
      store.tasks.turn(finishes, claim === null ? null : { ...claim, coroutineIds }),
  });
}

function withTasks(store: Store, tasks: Partial<Store["tasks"]>): Store {
  return { ...store, tasks: { ...store.tasks, ...tasks } };
}
