// What an executor knows of a host that it delivers callbacks to, and of each application there.

/** A breaker: `open`: nothing is sent before `nextTry`; `half-open`: one delivery at a time tries whether it is back. */
export interface GateState {
  readonly state: "closed" | "open" | "half-open";
  /** Deliveries on their way. */
  readonly inFlight: number;
  /** In a row. */
  readonly failures: number;
  /** Epoch ms; null unless open. */
  readonly nextTry: number | null;
}

/** An application's own breaker at its host: what only this application is to blame for, or suffers from. */
export interface ApplicationState extends GateState {
  readonly appKey: string;
}

/** The breaker of the host is about what no application is to blame for. */
export interface HostState extends GateState {
  /** `name:port`. */
  readonly host: string;
  /** At most 100, the worst first. */
  readonly applications: readonly ApplicationState[];
  /** How many are known besides. */
  readonly omitted: number;
}
