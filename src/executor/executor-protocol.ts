// What the main process and its executor say to each other over fork IPC; doorbells and bus messages share the link.

import type { Config } from "../config/config.ts";
import type { CatalogueJob } from "../job/catalogue.ts";
import type { DeathCause } from "../use-cases/reap.ts";
import type { Failure, GroupNews, LoadedJobs } from "./consumer-protocol.ts";

/** An executor of which nothing runs any more. */
export interface DeadExecutor {
  readonly serviceId: string;
  readonly cause: DeathCause;
  /** When that was proven; epoch ms of this machine. */
  readonly provenAt: number;
  /** When it died, or, of one that was killed, when that was decided. */
  readonly sinceAt: number;
}

export type ToExecutor =
  | {
      readonly to: "executor";
      readonly kind: "start";
      readonly config: Config;
      readonly serviceId: string;
      /** Base64; opens the applications' secrets. */
      readonly key: string;
      /** What its predecessor served; null: import all files first. */
      readonly inherited: readonly CatalogueJob[] | null;
    }
  /** Take over the tasks of this one. */
  | { readonly to: "executor"; readonly kind: "dead"; readonly dead: DeadExecutor }
  | { readonly to: "executor"; readonly kind: "drain"; readonly graceMs: number };

export type FromExecutor =
  /** Listening; asked for `start`. */
  | { readonly to: "main"; readonly kind: "hello" }
  | { readonly to: "main"; readonly kind: "ready"; readonly jobs: LoadedJobs }
  /** It serves these jobs now, after imports beside. */
  | { readonly to: "main"; readonly kind: "imported"; readonly jobs: LoadedJobs }
  /** A thread of it cannot be terminated: start a successor now. */
  | { readonly to: "main"; readonly kind: "retiring"; readonly taskId: number }
  /** Retired and empty: kill it with its group. */
  | { readonly to: "main"; readonly kind: "retired" }
  | (GroupNews & { readonly to: "main"; readonly kind: "group" })
  | { readonly to: "main"; readonly kind: "death-settled"; readonly serviceId: string }
  | { readonly to: "main"; readonly kind: "drained" }
  | { readonly to: "main"; readonly kind: "failed"; readonly failure: Failure };
