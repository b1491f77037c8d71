// Whether a process should get requests, as its root knows it.

export interface Readiness {
  /** False while draining, before the first catalogue, and while the database is away. */
  readonly ready: boolean;
  /** What was looked at, by name: `up`, or what is wrong with it. */
  readonly checks: Readonly<Record<string, string>>;
}
