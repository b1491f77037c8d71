// The view of a ticket that opens a stream of events.
import { Type } from "@sinclair/typebox";
import { named } from "./named.ts";
import { int64, type Shown } from "./shapes.ts";

export const ticketSchema = named(
  "Ticket",
  Type.Object({
    ticket: Type.String(),
    expires_at: int64("Epoch ms: connect before then."),
  }),
);

export type TicketView = Shown<typeof ticketSchema>;
