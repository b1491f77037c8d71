// What an executor knows of a host that it delivers callbacks to.

export interface HostState {
  /** `name:port`. */
  readonly host: string;
  /** `open`: nothing is sent before `nextTry`; `half-open`: one delivery at a time tries whether it is back. */
  readonly state: "closed" | "open" | "half-open";
  /** Deliveries on their way. */
  readonly inFlight: number;
  /** In a row. */
  readonly failures: number;
  /** Epoch ms; null unless open. */
  readonly nextTry: number | null;
}
