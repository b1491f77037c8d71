// The real side of a simulated run: a store, two executors that talk to it, and time that is passed by hand.
import type { ClaimedTask } from "../../src/core/task.ts";
import type { Store } from "../../src/store/store.ts";
import { type Corner, openCorner } from "../contract/store/samples.ts";
import type { TestDatabase } from "../contract/store/world.ts";
import { UNIT_MS } from "./model.ts";

/** How an executor sees its own work. */
export interface RealExecutor {
  readonly believes: ClaimedTask[];
  /** Of turns whose answer was lost. */
  readonly lostTurns: string[];
}

export interface World {
  readonly store: Store;
  readonly corner: Corner;
  readonly ids: Map<string, number>;
  readonly executors: readonly RealExecutor[];
  readonly query: TestDatabase["query"];
  /** A number for each turn. */
  nextTurn(): number;
  /** What has passed is written into the rows: everything that is waited for comes nearer. */
  pass(units: number): Promise<void>;
}

/** A corner of its own for one run; what earlier runs left is deleted. */
export async function openWorld(database: TestDatabase, store: Store): Promise<World> {
  for (const table of ["attempt_ends", "attempts", "tasks"]) {
    await database.query(`delete from ${table}`);
  }
  let turns = 0;
  return {
    store,
    corner: await openCorner(store),
    ids: new Map(),
    executors: [newExecutor(), newExecutor()],
    query: database.query,
    nextTurn: () => {
      turns += 1;
      return turns;
    },
    pass: async (units) => {
      const by = units * UNIT_MS;
      await database.query(
        `update tasks set run_at = run_at - ${by}, lease_until = lease_until - ${by}`,
      );
    },
  };
}

function newExecutor(): RealExecutor {
  return { believes: [], lostTurns: [] };
}
