// Whether a process should get requests, as its root knows it.

export interface Readiness {
  /** False while draining, before its own executor has published its jobs, and while the database cannot be used. */
  readonly ready: boolean;
  /** What was looked at, by name: `up`, or what is wrong with it. */
  readonly checks: Readonly<Record<string, string>>;
  /** Those that live, as the database knows them; absent in a process that only executes. */
  readonly executors?: readonly ShownExecutor[];
}

export interface ShownExecutor {
  readonly service_id: string;
  /** Ms since the last sign of its main thread. */
  readonly seen_ms_ago: number;
  /** The same of the thread of each lane; null: none yet. */
  readonly lanes_seen_ms_ago: { readonly job: number | null; readonly callback: number | null };
  /** How far its clock is ahead of the database's; null: unknown. */
  readonly clock_ahead_ms: number | null;
}
