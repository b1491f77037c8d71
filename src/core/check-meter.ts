// Counts what a check costs, so that none takes long on an event loop, whatever the schema and the params are.

/** Thrown out of a check that is not to be finished here. */
export class NotHere extends Error {}

/** A unit is what takes about ten nanoseconds. */
export interface Meter {
  /** Before each check. */
  reset(units: number): void;
  /** Throws NotHere when nothing is left. */
  spend(units: number): void;
}

export function createMeter(): Meter {
  let left = 0;
  return {
    reset(units) {
      left = units;
    },
    spend(units) {
      left -= units;
      if (left < 0) throw new NotHere("the check costs too much");
    },
  };
}
