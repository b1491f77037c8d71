// How much the bench measures: enough for figures, or quickly.
export interface BenchOptions {
  readonly rounds: number;
  readonly warmUpMs: number;
  readonly roundMs: number;
  /** Tasks of which the lateness of the start is measured. */
  readonly timedTasks: number;
  readonly warmTasks: number;
  readonly freshTasks: number;
  /** Calls per measured step of a create. */
  readonly stepCalls: number;
  /** Also on MySQL or MariaDB, Redis and nsqd. */
  readonly withServers: boolean;
}

export const FULL: BenchOptions = {
  rounds: 3,
  warmUpMs: 500,
  roundMs: 3_000,
  timedTasks: 300,
  warmTasks: 1_500,
  freshTasks: 100,
  stepCalls: 2_000,
  withServers: true,
};

export const QUICK: BenchOptions = {
  rounds: 3,
  warmUpMs: 300,
  roundMs: 700,
  timedTasks: 100,
  warmTasks: 1_000,
  freshTasks: 100,
  stepCalls: 1_000,
  withServers: false,
};
