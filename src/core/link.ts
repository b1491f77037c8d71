// The one shape in which threads and processes talk to each other: send a value, hear values.

/** Fork IPC, a message port or a worker; the adapters `bus/local` and `queue/local` get one and import none. */
export interface Link {
  /** Delivers at most once; silently nothing when the other side is gone. */
  send(message: unknown): void;
  /** Calls back for each message; the returned function ends the subscription. */
  onMessage(hear: (message: unknown) => void): () => void;
}
