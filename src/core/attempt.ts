// What an attempt is: its outcomes, what it leaves behind, and how a lane hands a running one to the consumer.
import type { ClaimedTask, TerminalStatus } from "./task.ts";
import type { DeliveryLog } from "./views/delivery-log.ts";
import type { HostState } from "./views/hosts.ts";
import type { Frame, WaitingPoint } from "./views/stack.ts";
import type { TraceEvent } from "./views/trace-event.ts";

export const OUTCOMES = [
  "succeeded",
  "failed",
  "timed_out",
  "cancelled",
  "crashed",
  "lost",
  "interrupted",
] as const;
export type Outcome = (typeof OUTCOMES)[number];

/** A call of the platform by a job: `sleep` or `fetch`. */
export interface PlatformCall {
  readonly function: string;
  /** What `ctx.sleep` was given; of other calls nothing is shown. */
  readonly args: readonly number[];
}

/** An error as data; every text is capped where it is made. */
export interface AttemptError {
  readonly name: string;
  readonly message: string;
  readonly stack?: string;
  /** A stable word for programs: `address_refused`, `result_not_json`, `poison`, … */
  readonly reason?: string;
  /** True forbids further attempts in this life. */
  readonly final?: boolean;
  /** Of a failed delivery: the status the receiver answered. */
  readonly status?: number;
  /** Of a failed delivery: the system's code, such as ECONNREFUSED. */
  readonly code?: string;
  /** Of a job's failure: what the thrown thing carried besides; secrets masked. */
  readonly fields?: Readonly<Record<string, unknown>>;
  /** Of an aggregate: its first 10 errors. */
  readonly errors?: readonly InnerError[];
  /** The type of what was thrown, when that was no error. */
  readonly thrown?: string;
  /** Equal for failures of one kind; made by `core/fingerprint` when the end is written. */
  readonly fingerprint?: string;
}

/** One of the errors that another one gathers; its stack is in that one's. */
export type InnerError = Pick<AttemptError, "name" | "message" | "fields">;

export const LIVE_STATES = ["starting", "running", "waiting"] as const;

/** Where a job is, as seen from outside at one moment. */
export interface LiveView {
  /** `starting`: no line of it has run yet. `waiting`: suspended in an await. `running`: on the processor. */
  readonly state: (typeof LIVE_STATES)[number];
  /** Of very many the innermost 250 and the outermost 50. */
  readonly frames: readonly Frame[];
  /** How many frames are left out between the two; missing for none. */
  readonly omitted?: number;
  /** Where its async calls wait, most first; only where more than one place is known. */
  readonly waiting?: readonly WaitingPoint[];
  /** While it waits: the call of the platform that its innermost frame made; absent where that is not certain. */
  readonly call?: PlatformCall;
  /** What `ctx.watch` was given last, redacted and capped. */
  readonly vars: Readonly<Record<string, unknown>> | null;
  /**
   * How many times an await of the job came back: of its own code, or, where that notes nothing (`trace: "off"`,
   * packages), those of `ctx.sleep`, `ctx.fetch` and `ctx.step` alone.
   */
  readonly round: number;
  /** Ms since the attempt began to run. */
  readonly elapsedMs: number;
  readonly progress: Progress | null;
  /** True when the job went on while it was being read: the frames are those it had in common before and after. */
  readonly moving?: boolean;
  readonly vitals?: Vitals;
  /** What runs there; absent where no code of ours does (a delivery), or where nobody can know. */
  readonly ran?: Ran;
}

/** The code of an attempt, and what ran it. */
export interface Ran {
  /** `Bun` or `Deno`. */
  readonly runtime: string;
  readonly version: string;
  /** Lowercase hex SHA-256 of the job's file as it was loaded; null: nobody knows. */
  readonly sourceHash: string | null;
}

/** What an attempt uses up; null where the runtime cannot tell. */
export interface Vitals {
  /** Processor time of its thread since the attempt began. */
  readonly cpuMs: number | null;
  /** Of its job worker. */
  readonly heapBytes: number | null;
  /** Of the process it runs in: shared with other attempts unless it has a process of its own. */
  readonly rssBytes: number | null;
  /** How old the figures of memory are: a spinning thread cannot be asked. */
  readonly memoryAgeMs: number | null;
  /** How long its event loop took to answer, or has not answered so far. */
  readonly eventLoopLagMs: number | null;
}

export interface Progress {
  /** 0–100. */
  readonly percent: number;
  readonly text?: string;
}

/** What is kept of an attempt: where it was at its end and its last events, capped to 1,000 events / 256 KiB. */
export interface AttemptTrace {
  readonly view: LiveView | null;
  readonly events: readonly TraceEvent[];
  /** Only of one that did not end by itself; `core/autopsy` makes the whole autopsy of it. */
  readonly autopsy?: KeptAutopsy;
}

/** What an autopsy knows besides the view and the events of its trace. */
export interface KeptAutopsy {
  readonly source: PlaceSource;
  /** How old the place was when the attempt ended, ms; null: nobody can tell. */
  readonly ageMs: number | null;
  /** Of a lost attempt: how old its vars, progress and figures were; absent where there was no checkpoint. */
  readonly checkpointAgeMs?: number;
  readonly excerpts: readonly Excerpt[];
}

export const PLACE_SOURCES = ["live", "last-call", "memory", "checkpoint", "none"] as const;

/**
 * How it is known where an attempt was. `live`: read from its live stack. `last-call`: its last call of `ctx`, because
 * its code noted nothing. `memory`: read from what its executor's death left behind. `checkpoint`: noted while it ran.
 */
export type PlaceSource = (typeof PLACE_SOURCES)[number];

/** Lines of a source around a place, as they were when they ran. */
export interface Excerpt {
  readonly file: string;
  readonly line: number;
  /** The number of the first of `lines`. */
  readonly first: number;
  readonly lines: readonly string[];
}

export const KILL_METHODS = [
  "abort",
  "thread",
  "process",
  "executor",
  "http-abort",
  "none",
] as const;
/** The reason for a stop: the attempt's deadline, the application, the executor's own needs, or the job itself. */
export const STOPPERS = ["deadline", "application", "executor", "job"] as const;

/** Proof of how an attempt was stopped. */
export interface KillReceipt {
  /** True only when the death is proven. */
  readonly killed: boolean;
  readonly method: (typeof KILL_METHODS)[number];
  /** From the request to stop (or the deadline) to the proof of death. */
  readonly latencyMs: number;
  /** Nothing runs here any more, but a receiver that has heard the request may go on with it. */
  readonly remoteMayContinue?: true;
  /** Where it was when it was stopped, innermost first. */
  readonly stack?: readonly Frame[];
  /** A stable word: `timeout`, `cancelled`, `interrupted`, `out_of_memory`, … */
  readonly reason?: string;
  readonly by?: (typeof STOPPERS)[number];
  /** Epoch ms of the proof; without proof, of the writing. */
  readonly at?: number;
}

/** How one attempt ended. */
export interface AttemptEnd {
  readonly outcome: Outcome;
  /** JSON text, for `succeeded` only. */
  readonly result?: string;
  readonly error?: AttemptError;
  readonly trace?: AttemptTrace;
  readonly receipt?: KillReceipt;
  /** What went over the wire, in the callback lane only. */
  readonly delivery?: DeliveryLog;
  /** The receiver asked to be left alone for so long: the next attempt comes no earlier; capped by `core/outcome`. */
  readonly retryAfterMs?: number;
}

/** Why an attempt is to be stopped from outside. */
export type StopReason = "cancel" | "interrupt" | "memory";

/** How it is to be stopped. */
export interface StopHow {
  /** How long it may end by itself after its signal; default 0. */
  readonly graceMs?: number;
  /** In words, for the attempt's error. */
  readonly why?: string;
}

/** What speaks for or against an attempt when its executor has too much memory. */
export interface MemorySuspect {
  /** On the clock of `performance.now()` of its thread's owner. */
  readonly startedMs: number;
  /** The system's id of its thread; null while it has none, or where that cannot be known. */
  readonly threadId: number | null;
  /** True when its heap is of this moment: its thread could be asked. */
  readonly hasAnswered: boolean;
  /** Last known; null where nothing is known. */
  readonly heapBytes: number | null;
}

/** One attempt in progress. None of its promises ever rejects. */
export interface RunningAttempt {
  readonly task: ClaimedTask;
  /** Settles once, when the outcome is decided: at the latest timeout + 250 ms after the start, dead or not. */
  readonly ended: Promise<AttemptEnd>;
  /** Settles when nothing of the attempt runs any more, or with `killed: false` when it cannot be killed from here. */
  readonly gone: Promise<KillReceipt>;
  /** Where it is now. Resolves within about 100 ms, also when the job spins. */
  inspect(): Promise<LiveView>;
  /** What it said since the event `seq`, as far as it is still known; absent where nothing is ever said. */
  eventsAfter?(seq: number): readonly TraceEvent[];
  /**
   * Stops it; the outcome is `cancelled`, `interrupted` or (`memory`) `crashed` unless it ended before. Safe to call
   * again: a stop that leaves less time wins.
   */
  stop(reason: StopReason, how?: StopHow): void;
  /** What speaks for it having filled the executor's memory; absent where it has memory of its own. */
  suspect?(): Promise<MemorySuspect | undefined>;
  /** The lines around the frames of a view of it; absent where it has no source. */
  excerpts?(view: LiveView): readonly Excerpt[];
  /** Its last view was written as a checkpoint: it says so in its trace as soon as its event loop turns. */
  noteCheckpoint?(view: LiveView): void;
  /** Its lease ends in `leftMs` unless this is called again; what runs outside the executor guards it by itself. */
  lease?(leftMs: number): void;
}

/** What serves one lane in an executor: the job lane or the callback lane. */
export interface AttemptLane {
  /** Names and aliases it can run; null: everything of the lane. */
  readonly jobs: readonly string[] | null;
  /** Most attempts at once. */
  readonly slots: number;
  /** How many of the free slots each application may have; asked before every claim. Absent: no limit. */
  claimLimits?(): ClaimLimits;
  /** What is known of the hosts it delivers to. */
  hosts?(): readonly HostState[];
  start(task: ClaimedTask): RunningAttempt;
  /** Ends what is idle; running attempts must have ended before. */
  close(): Promise<void>;
}

/** How many tasks may be claimed of whom, so that one receiver cannot fill a lane; asked application by application. */
export interface ClaimLimits {
  /**
   * The oldest due tasks may be of applications that may have nothing, or that have to wait for their probe: each
   * application is asked for its own.
   */
  readonly isUneven: boolean;
  /** Begins to count for one claim. */
  allowance(): ClaimAllowance;
}

/** Counts, within one claim, whose tasks may still be claimed. */
export interface ClaimAllowance {
  isClosed(applicationId: number): boolean;
  /** True, and one less is left, while something is left of the application's share. */
  take(applicationId: number): boolean;
  /** Of applications that wait for the one probe of their host, the least goes first; null: waits for none. */
  probeTurn(applicationId: number): number | null;
}

/** What becomes of the task after an attempt; decided by `core/outcome`. */
export type NextState =
  | { readonly kind: "terminal"; readonly status: TerminalStatus }
  | { readonly kind: "pending"; readonly delayMs: number };
