// The order of an attempt's events: no silent holes, and the part that comes after one of them.
import type { TraceEvent } from "./views/trace-event.ts";

/** The events after `seq`; a gap that begins before is cut there, a hole in front becomes a gap. */
export function eventsAfter(events: readonly TraceEvent[], seq: number): TraceEvent[] {
  const later = events.filter((event) => event.seq > seq).map((event) => cutGap(event, seq));
  return withGaps(later, seq);
}

/** Tells every hole in a sequence that should go on after `after`. */
export function withGaps(events: readonly TraceEvent[], after = 0): TraceEvent[] {
  const told: TraceEvent[] = [];
  let next = after + 1;
  for (const event of events) {
    if (firstSeqOf(event) > next) told.push(gap(next, firstSeqOf(event) - 1, event.at));
    told.push(event);
    next = event.seq + 1;
  }
  return told;
}

/** Keeps the newest `most` events, and says at the front which are gone. */
export function newestEvents(events: readonly TraceEvent[], most: number): readonly TraceEvent[] {
  if (events.length <= most) return events;
  const kept = events.slice(events.length - most + 1);
  const [first] = kept;
  if (first === undefined) return [];
  if (first.type !== "gap") return [gap(1, first.seq - 1, first.at), ...kept];
  return [gap(1, first.seq, first.at), ...kept.slice(1)];
}

/** The missing part, for a reader that has everything before `from`. */
function gap(from: number, to: number, at: number): TraceEvent {
  return { seq: to, at, type: "gap", data: { from, to } };
}

/** The first number an event stands for: a gap stands for many. */
export function firstSeqOf(event: TraceEvent): number {
  if (event.type !== "gap") return event.seq;
  const { from } = (event.data ?? {}) as { readonly from?: unknown };
  return typeof from === "number" ? from : event.seq;
}

function cutGap(event: TraceEvent, seq: number): TraceEvent {
  return firstSeqOf(event) <= seq ? gap(seq + 1, event.seq, event.at) : event;
}
