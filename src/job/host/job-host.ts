// A job worker as its owner drives it, whatever kind of thing it is: a thread, or a process with a thread in it.
import type { Vitals } from "../../core/attempt.ts";
import type { LiveStack } from "../wire/live-stack.ts";
import type { LoadedSource } from "../wire/prepared-source.ts";
import type {
  AbortMessage,
  AttemptOrder,
  Death,
  FromJobWorker,
  ToJobWorker,
} from "../wire/protocol.ts";
import type { SharedMemory } from "../wire/shared-memory.ts";

/** One job worker. It is owned by one part of the platform at a time, which listens to it. */
export interface JobHost {
  /** What its kill is called in a receipt. */
  readonly method: "thread" | "process";
  /** The system's id of its thread where that is a thread of this process; null where it is not, or not known. */
  threadId(): number | null;
  /** Live for a thread; of a process the copy that `refresh` fetched last. */
  readonly memory: SharedMemory;
  /** Brings `memory` and the stack up to date; settles soon, also when it is dead: then its last word stays. */
  refresh(): Promise<void>;
  /** Settles once it can be told to load a job; false when it died before. */
  readonly ready: Promise<boolean>;
  post(message: ToJobWorker): void;
  /** Tells the attempt to end; where its code was just before, null when that is not known. */
  abort(message: AbortMessage): Promise<LiveStack | null>;
  /** Puts an attempt on offer in its memory and sends it. */
  offer(order: AttemptOrder): void;
  /** Takes back the attempt with this id; false when it was accepted, or is not on offer, or nobody can tell. */
  withdraw(id: number): Promise<boolean>;
  /** True when it says that this attempt has ended, even before the message with its end is here. */
  hasEnded(id: number): Promise<boolean>;
  /** The right to its attempt ends in `leftMs` unless this is said again; only a process guards it by itself. */
  lease(leftMs: number): void;
  /** Receives its messages and its death, also one that is past, in place of the listener before. */
  listen(hear: HostListener): void;
  /** True when its event loop answers within `withinMs`: its code is suspended in an await. */
  ping(withinMs: number): Promise<boolean>;
  /**
   * Where the attempt's code is at this moment, also while it spins; of a process where it was at the last `refresh`, or
   * at its last word; before its first attempt, where the import of its job is. Null when nothing was noted, or the
   * attempt has not begun.
   */
  readStack(): LiveStack | null;
  /** A source as it loaded it; undefined when nobody noted that. */
  loaded(path: string): LoadedSource | undefined;
  /** What it uses up, as far as it is known without asking it (a process: when it last said anything); `cpuMs` since it was started. */
  vitals(): Vitals;
  /**
   * Kills it; asking again resolves to the same. True as soon as its death is proven, false when it was not within 2 s:
   * then it may go on for ever.
   */
  kill(): Promise<boolean>;
}

export interface HostListener {
  message(message: FromJobWorker): void;
  /** It died by itself: `process.exit`, or an error nobody caught. Never called after `kill`. */
  death(death: Death): void;
}

/** Makes a job worker that has loaded nothing yet. */
export type SpawnHost = () => JobHost;
