// Random runs of two executors and their callers on a real store, beside a model of it.
// fast-check shrinks what fails to the fewest steps, and says the seed and the path that replay it.
import fc from "fast-check";
import type { TestDatabase } from "../contract/store/world.ts";
import { STEPS } from "./commands.ts";
import { drain } from "./drain.ts";
import type { Model } from "./model.ts";
import { openWorld } from "./world.ts";

const MOST_STEPS = 60;

export interface SimulationOptions {
  readonly seed: number;
  readonly runs: number;
  /** No run begins after these. */
  readonly seconds: number;
  readonly path?: string;
}

export interface Simulation {
  readonly seed: number;
  readonly runs: number;
  readonly steps: number;
  /** What disagreed, after which steps; null: nothing. */
  readonly failure: string | null;
}

/** The database is empty but for what earlier runs left. */
export async function simulate(
  database: TestDatabase,
  { seed, runs, seconds, path }: SimulationOptions,
): Promise<Simulation> {
  const store = database.open();
  await store.migrate();
  let steps = 0;
  const commands = fc.commands(STEPS, { maxCommands: MOST_STEPS, size: "max" });
  const property = fc.asyncProperty(commands, async (run) => {
    const world = await openWorld(database, store);
    const model = newModel();
    await fc.asyncModelRun(() => ({ model, real: world }), run);
    await drain(model, world);
    steps += [...run].length;
  });
  const details = await fc.check(property, {
    seed,
    numRuns: runs,
    interruptAfterTimeLimit: seconds * 1_000,
    ...(path !== undefined && { path }),
  });
  const failure = details.failed
    ? `${fc.defaultReportMessage(details)}\n${String(details.errorInstance)}`
    : null;
  return { seed: details.seed, runs: details.numRuns, steps, failure };
}

function newModel(): Model {
  const executor = (serviceId: string) => ({ serviceId, believes: [], lost: [] });
  return { now: 0, tasks: new Map(), executors: [executor("executor-1"), executor("executor-2")] };
}
