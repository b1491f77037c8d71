// The view of one delivery, kept as it is shown: where it went, how long each step took and what was said; never a secret.
import { Type } from "@sinclair/typebox";
import { named } from "./named.ts";
import { nullable, type Shown } from "./shapes.ts";

const ms = nullable(Type.Number());
const headers = Type.Unsafe<Record<string, string>>({
  type: "object",
  additionalProperties: { type: "string" },
});

export const deliverySchema = named(
  "Delivery",
  Type.Object(
    {
      url: Type.String({ description: "Without the values of its query." }),
      address: nullable(Type.String({ description: "The address that was connected to." })),
      timings: Type.Object(
        { dns: ms, connect: ms, tls: ms, first_byte: ms, total: Type.Number() },
        {
          description: "Ms; dns, connect and tls are null on a connection that was there already.",
        },
      ),
      status: nullable(Type.Integer()),
      request_headers: headers,
      response_headers: headers,
      response_body: Type.String({ description: "The first 4 KiB of the answer." }),
      response_truncated: Type.Boolean(),
    },
    { description: "What went over the wire, of a callback; secret headers are [redacted]." },
  ),
);

/** Nulls: the step did not happen, it came to no connection, or there was no answer. */
export type DeliveryLog = Shown<typeof deliverySchema>;
