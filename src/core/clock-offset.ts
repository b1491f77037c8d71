// Turns times of this machine into the database's.
import type { Store } from "../store/store.ts";
import type { AttemptEnd, KillReceipt, TraceEvent } from "./attempt.ts";
import { compareClocks } from "./clock-ahead.ts";

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

/** Events of this machine as of the database's clock. */
export function shiftEvents(
  events: readonly TraceEvent[],
  offsetMs: number,
): readonly TraceEvent[] {
  if (offsetMs === 0) return events;
  return events.map((event) => ({ ...event, at: event.at + offsetMs }));
}

/** The same of a receipt. */
export function shiftReceipt(receipt: KillReceipt, offsetMs: number): KillReceipt {
  if (offsetMs === 0 || receipt.at === undefined) return receipt;
  return { ...receipt, at: receipt.at + offsetMs };
}

/** The same of all that an end holds. */
export function shiftEnd(end: AttemptEnd, offsetMs: number): AttemptEnd {
  const { receipt, trace } = end;
  if (offsetMs === 0) return end;
  return {
    ...end,
    ...(receipt !== undefined && { receipt: shiftReceipt(receipt, offsetMs) }),
    ...(trace !== undefined && {
      trace: { ...trace, events: shiftEvents(trace.events, offsetMs) },
    }),
  };
}
