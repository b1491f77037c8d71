// The end of a simulated run: all faults heal, and every task must come to an end.
import { equal } from "node:assert/strict";
import { claimSome, die, endOne, pass } from "./commands.ts";
import { isTerminal, type Model } from "./model.ts";
import type { World } from "./world.ts";

/** A task has at most this many attempts before it, and none is due later than so many units. */
const MOST_ROUNDS = 12;

export async function drain(model: Model, world: World): Promise<void> {
  for (const who of [0, 1]) await die(who, "died").run(model, world);
  for (let round = 0; round < MOST_ROUNDS && isOpen(model); round++) {
    await pass(1).run(model, world);
    await claimSome(0, 10, false).run(model, world);
    while ((world.executors[0]?.believes.length ?? 0) > 0) {
      await endOne(0, { pick: 0, outcome: "succeeded", isHeld: false }).run(model, world);
    }
  }
  equal(isOpen(model), false);
}

function isOpen({ tasks }: Model): boolean {
  return [...tasks.values()].some((task) => !isTerminal(task));
}
