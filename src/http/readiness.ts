// Whether a process should get requests, as its root knows it.
import type { ReadinessView } from "../core/views/readiness.ts";

export interface Readiness {
  /** False while draining, before its own executor has published its jobs, and while the database cannot be used. */
  readonly ready: boolean;
  /** What was looked at, by name: `up`, or what is wrong with it. */
  readonly checks: ReadinessView["checks"];
  /** Those that live, as the database knows them; absent in a process that only executes. */
  readonly executors?: NonNullable<ReadinessView["executors"]>;
}
