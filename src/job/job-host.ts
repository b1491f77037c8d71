// A job worker as its owner drives it, whatever kind of thing it is: a thread today.
import type { AttemptError, Vitals } from "../core/attempt.ts";
import type { LiveStack } from "./live/reader.ts";
import type { FromJobWorker, ToJobWorker } from "./protocol.ts";
import type { SharedMemory } from "./shared-memory.ts";

/** How a job worker died without being told to. */
export interface Death {
  readonly error: AttemptError;
}

/** One job worker. It is owned by one part of the platform at a time, which listens to it. */
export interface JobHost {
  readonly memory: SharedMemory;
  /** Settles once it can be told to load a job; false when it died before. */
  readonly ready: Promise<boolean>;
  post(message: ToJobWorker): void;
  /** Hears its messages and its death, also one that is past, in place of whoever listened before. */
  listen(hear: HostListener): void;
  /** True when its event loop answers within `withinMs`: its code is suspended in an await. */
  ping(withinMs: number): Promise<boolean>;
  /** Where its code is at this moment, also while it spins; null when nothing was noted. */
  readStack(): LiveStack | null;
  /** What it uses up, as far as it is known without asking it; `cpuMs` since it was started. */
  vitals(): Vitals;
  /**
   * Kills it; asking again answers the same. True as soon as its death is proven, false when it was not within 2 s:
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
