// A store that notes how idle its consumer was between two turns that wrote ends.

import type { Store } from "../../src/store/store.ts";

export interface NotedTurns {
  readonly store: Store;
  /** Of each pause, how often a timer of 10 ms fired: never while the thread works or gets no core. */
  readonly idleTicks: readonly number[];
  stop(): void;
}

export function noteTurns(store: Store): NotedTurns {
  const idleTicks: number[] = [];
  let ticks: number | undefined;
  const timer = setInterval(() => {
    if (ticks !== undefined) ticks += 1;
  }, 10);
  const turn: Store["tasks"]["turn"] = async (finishes, claim) => {
    if (finishes.length === 0) return store.tasks.turn(finishes, claim);
    if (ticks !== undefined) idleTicks.push(ticks);
    const result = await store.tasks.turn(finishes, claim);
    ticks = 0;
    return result;
  };
  const noted = { ...store, tasks: { ...store.tasks, turn } };
  return { store: noted, idleTicks, stop: () => clearInterval(timer) };
}
