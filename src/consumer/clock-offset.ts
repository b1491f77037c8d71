// Knows what turns times of this machine into the database's.
import type { Store } from "../store/store.ts";
import { compareClocks } from "../use-cases/clock-ahead.ts";

const MEASURE_EVERY_MS = 60_000;

export interface ClockOffset {
  /**
   * To be added to epoch times of this machine, as it was last measured; 0 before, and when it is less than the question
   * took: that is how exactly it can be known.
   */
  readonly ms: number;
  /** Measures again when that is a minute ago. */
  refresh(): Promise<void>;
}

export function createClockOffset(store: Pick<Store, "now">): ClockOffset {
  let ms = 0;
  let measuredMs = Number.NEGATIVE_INFINITY;
  return {
    get ms() {
      return ms;
    },
    async refresh() {
      if (performance.now() - measuredMs < MEASURE_EVERY_MS) return;
      const { aheadMs, tookMs } = await compareClocks(store);
      ms = Math.abs(aheadMs) <= Math.max(1, tookMs) ? 0 : -aheadMs;
      measuredMs = performance.now();
    },
  };
}
