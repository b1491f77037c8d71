// The view of the hosts that callbacks go to; what one executor knows of them is a part of it.
import { Type } from "@sinclair/typebox";
import { named } from "./named.ts";
import { int64, nullable, oneOf, type Shown, type ShownFields } from "./shapes.ts";

const gateFields = {
  state: oneOf(["closed", "open", "half-open"]),
  inFlight: Type.Integer({ description: "Deliveries on their way." }),
  failures: Type.Integer({ description: "In a row." }),
  nextTry: nullable(int64("Epoch ms; null unless open.")),
};

/** A breaker: `open`: nothing is sent before `nextTry`; `half-open`: one delivery at a time tries whether it is back. */
export type GateState = ShownFields<typeof gateFields>;

const applicationSchema = named(
  "HostApplication",
  Type.Object({ appKey: Type.String(), ...gateFields }),
);

/** An application's own breaker at its host: what only this application is to blame for, or suffers from. */
export type ApplicationState = Shown<typeof applicationSchema>;

const executorSchema = named(
  "HostAtExecutor",
  Type.Object({ serviceId: Type.String(), ...gateFields }),
);

/** What one executor knows of the host. */
export type ExecutorHost = Shown<typeof executorSchema>;

const hostSchema = named(
  "Host",
  Type.Object({
    host: Type.String({ description: "name:port" }),
    ...gateFields,
    applications: Type.Array(applicationSchema, {
      description: "At most 100 of each executor, the worst ones.",
    }),
    omitted: Type.Integer({ description: "How many applications there are besides." }),
    executors: Type.Array(executorSchema),
  }),
);

/** The breaker of the host is about what no application is to blame for. */
export type HostView = Shown<typeof hostSchema>;

/** What one executor says of a host: at most 100 applications, the worst first. */
export type HostState = Omit<HostView, "executors">;

export const hostListSchema = named(
  "HostList",
  Type.Object({
    hosts: Type.Array(hostSchema),
    silent: Type.Array(Type.String(), { description: "Executors that did not answer in time." }),
  }),
);

/** By their names; a host that several executors deliver to is as bad as the worst of them says. */
export type HostsView = Shown<typeof hostListSchema>;
