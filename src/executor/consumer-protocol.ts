// What the executor's main thread and its consumer threads say to each other; doorbells travel on the same link.

import type { Config } from "../config/config.ts";
import type { MemoryPressure } from "../consumer/memory-evidence.ts";
import type { FeedNews } from "../consumer/watched.ts";
import type { LiveAnswer, LiveQuestion } from "../core/live.ts";
import type { Lane } from "../core/task.ts";
import type { CatalogueJob, ReadJobFiles } from "../job/catalogue.ts";
import type { ProcessGroup } from "../process/process-sweep.ts";

/** Given to a consumer thread at its birth. */
export interface ConsumerThreadData {
  readonly config: Config;
  readonly lane: Lane;
  readonly serviceId: string;
  /** Opens the applications' secrets; the thread derives nothing itself. */
  readonly key: Uint8Array;
  /** What the executor before this one served; null: there was none, or its jobs are not to be trusted. */
  readonly inherited: readonly CatalogueJob[] | null;
}

/** From the executor's main thread to a consumer thread. */
export type ToConsumer =
  | { readonly to: "consumer"; readonly kind: "begin" }
  /** Both lanes serve: now the inherited job files may be imported. */
  | { readonly to: "consumer"; readonly kind: "import" }
  | {
      readonly to: "consumer";
      readonly kind: "ask";
      readonly id: number;
      readonly question: LiveQuestion;
    }
  /** The executor is over its memory limit: end the attempt that is to blame most likely. */
  | { readonly to: "consumer"; readonly kind: "shed"; readonly memory: MemoryPressure }
  | { readonly to: "consumer"; readonly kind: "drain"; readonly graceMs: number };

/** From a consumer thread to the executor's main thread. */
export type FromConsumer =
  /** Loaded; it claims after `begin`. */
  | { readonly to: "executor"; readonly kind: "loaded"; readonly jobs: LoadedJobs | null }
  /** Files were imported beside: what it serves from now on. */
  | { readonly to: "executor"; readonly kind: "imported"; readonly jobs: LoadedJobs }
  | {
      readonly to: "executor";
      readonly kind: "answer";
      readonly id: number;
      readonly answer: LiveAnswer;
    }
  | { readonly to: "executor"; readonly kind: "news"; readonly news: FeedNews }
  /** It hears doorbells now. */
  | { readonly to: "executor"; readonly kind: "begun" }
  | { readonly to: "executor"; readonly kind: "unkillable"; readonly taskId: number }
  | (GroupNews & { readonly to: "executor"; readonly kind: "group" })
  | { readonly to: "executor"; readonly kind: "drained" }
  | { readonly to: "executor"; readonly kind: "failed"; readonly failure: Failure };

/** A job process began, or is proven gone. */
export interface GroupNews {
  readonly group: ProcessGroup;
  readonly isAlive: boolean;
}

/** What the job lane found in JOBS_DIR. */
export interface LoadedJobs extends ReadJobFiles {
  /** New and changed files that are still to be imported: nobody knows their jobs yet. */
  readonly pending: number;
}

/** A reason not to start, as it crosses a thread or process border. */
export interface Failure {
  /** The operator must act: ends the program with 78. */
  readonly isConfiguration: boolean;
  readonly message: string;
}

/** True for messages of ours on a shared link. */
export function isFor<M extends { readonly to: string }>(
  to: M["to"],
  message: unknown,
): message is M {
  return typeof message === "object" && message !== null && "to" in message && message.to === to;
}
