// Turns the times in what an attempt leaves behind into another clock's.
import type { AttemptEnd, KillReceipt } from "./attempt.ts";
import type { TraceEvent } from "./views/trace-event.ts";

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
