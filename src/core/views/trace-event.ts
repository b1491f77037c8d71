// The view of what a job said while it ran: an event of its trace, kept and streamed as it is shown.
import { Type } from "@sinclair/typebox";
import { named } from "./named.ts";
import { int64, type Shown, word } from "./shapes.ts";

type EventType =
  | "state"
  | "log"
  | "progress"
  | "step"
  | "watch"
  | "checkpoint"
  | "fetch"
  | "result"
  | "gap";

export const traceEventSchema = named(
  "TraceEvent",
  Type.Object({
    seq: Type.Integer(),
    at: int64("Epoch ms."),
    type: word<EventType>(),
    data: Type.Unsafe({}),
  }),
);

/**
 * Something a job said: seq counts from 1 per attempt without holes, or a `gap` event tells what is missing. The clock
 * is the executor's own in the executor, and the database's everywhere else.
 */
export type TraceEvent = Shown<typeof traceEventSchema>;
