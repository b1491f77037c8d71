// All that a job worker and its owner say to each other; nothing else crosses the border but the shared memory.
import type { AttemptError, LiveView } from "../../core/attempt.ts";
import type { Isolation, Trace, UntracedFile } from "../../core/job.ts";
import type { RetryPolicy } from "../../core/task.ts";
import type { ParamsField } from "../../core/task-content.ts";
import type { Frame } from "../../core/views/stack.ts";
import type { SourcePlace } from "./place.ts";
import type { SourceLink } from "./source-link.ts";

/** The first message, on the worker's own port, which is closed after it: from here on they talk over `port`. */
export interface Boot {
  readonly port: unknown;
  readonly memory: ArrayBufferLike;
  /** What the job may see of the environment. */
  readonly env: Readonly<Record<string, string>>;
  /** Null: jobs are loaded as they are. */
  readonly live: LiveBoot | null;
}

/** What a job worker needs to run job files that note where they are. */
export interface LiveBoot {
  /** Or the file to map. */
  readonly memory: SharedArrayBuffer | string;
  readonly link: SourceLink;
}

/** One attempt as the job worker gets it. It takes it only when the shared memory still offers this `id`. */
export interface AttemptOrder {
  readonly kind: "attempt";
  /** Of this attempt alone: what comes late for another one is recognised by it. */
  readonly id: number;
  /** JSON text. */
  readonly params: string;
  /** What checks the params before the job gets them, and their name in the content; absent: they were checked. */
  readonly lateCheck?: { readonly module: string; readonly field: ParamsField };
  readonly taskId: number;
  readonly attemptId: number;
  readonly taskNo: string;
  readonly attempt: number;
  readonly maxAttempts: number;
  /** Epoch ms. */
  readonly deadline: number;
  /** Limit of the resident memory of its process; null means no limit, and is always the value of a thread. */
  readonly memoryMb: number | null;
}

/** Has a job worker import its one job file. */
export interface LoadMessage {
  readonly kind: "load";
  readonly file: string;
  readonly trace: Trace;
  /** Of the attempt that waits for it; absent: none does. */
  readonly attemptId?: number;
  /** As in an order. */
  readonly memoryMb?: number | null;
}

export type AbortReason = "timeout" | "cancel" | "interrupt";

export interface AbortMessage {
  readonly kind: "abort";
  /** Of the attempt. */
  readonly id: number;
  readonly reason: AbortReason;
}

/** What the trace says of a checkpoint. */
export interface CheckpointNote {
  readonly state: LiveView["state"];
  /** The innermost frame. */
  readonly place: Frame | null;
}

export type ToJobWorker =
  | LoadMessage
  | AttemptOrder
  | AbortMessage
  /** Where it is was written to the database: its trace is to say so. */
  | { readonly kind: "checkpoint"; readonly id: number; readonly data: CheckpointNote }
  | { readonly kind: "ping"; readonly ping: number };

/** A job as its file defines it: what the catalogue wants to know, without the hash. */
export interface JobDescription {
  readonly name: string;
  readonly aliases: readonly string[];
  readonly params: Readonly<Record<string, unknown>> | null;
  readonly timeoutMs: number | null;
  readonly retry: RetryPolicy | null;
  /** Null: the file leaves it to the runtime. */
  readonly isolation: Isolation | null;
  readonly memoryMb: number | null;
  readonly trace: Trace;
  readonly redact?: readonly string[];
}

/** How `run` ended by itself. */
export type JobEnd =
  | { readonly kind: "returned"; readonly result: string }
  /** `aborted`: it gave up because the signal fired. */
  | { readonly kind: "threw"; readonly error: AttemptError; readonly aborted: boolean };

export type FromJobWorker =
  /** `threadId` of the operating system, where it can be known. */
  | { readonly kind: "ready"; readonly threadId: number | null }
  | {
      readonly kind: "loaded";
      readonly job: JobDescription;
      /** Files that were loaded as they are although rewritten ones were asked for. */
      readonly untraced: readonly UntracedFile[];
      readonly memory: MemoryWord;
    }
  | { readonly kind: "refused"; readonly message: string; readonly place?: SourcePlace | undefined }
  | { readonly kind: "ended"; readonly id: number; readonly end: JobEnd }
  /** Follows `ended` from the event loop: nothing of the attempt keeps the thread busy. */
  | { readonly kind: "idle"; readonly id: number }
  | { readonly kind: "pong"; readonly ping: number; readonly memory?: MemoryWord }
  /** An error or rejection nobody caught; the job worker is not to be used again. */
  | { readonly kind: "crashed"; readonly error: AttemptError };

/** A job worker's own word about its memory, sent when it has loaded its job and with each answer to a ping. */
export interface MemoryWord {
  readonly heapBytes: number;
}

/** How a job worker died without being told to. */
export interface Death {
  readonly error: AttemptError;
  /** Set when it killed itself because nobody else did in time. */
  readonly because?: "deadline" | "lease";
}
