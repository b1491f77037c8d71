// What instrumented code calls in the job worker: plain stores into the live memory, a few nanoseconds each.

import { LIVE_WORDS, LOCATIONS, noteAttempt, SLOT_MASK } from "../../job/wire/live-memory.ts";
import { CALLS } from "../../job/wire/names.ts";
import { createAsyncFrames } from "./async-frames.ts";
import { iterateSyncWatched, iterateWatched } from "./iterate.ts";

/** What the job worker itself does with the live memory. */
export interface LiveRuntime {
  /** Forgets all frames: before an attempt, and after an import that failed. Frames that are suspended then stay forgotten. */
  reset(): void;
  /** Notes which attempt runs; 0: none. */
  belongsTo(attemptId: number): void;
  /** How many times code came back from an await since the last reset. */
  resumed(): number;
}

/**
 * Puts the functions on `globalThis`, once per thread, before any job code is imported. They are no imports of the
 * instrumented code, because in a cycle of imports a function may run before its module's imports are there.
 */
export function installLiveRuntime(words: Int32Array): LiveRuntime {
  const frames = createAsyncFrames(words);
  const calls: Readonly<Record<string, unknown>> = {
    ...createStackCalls(words),
    ...frames.calls,
    ...VALUE_CALLS,
  };
  for (const [name, value] of Object.entries(calls)) {
    Object.defineProperty(globalThis, name, { value, writable: false, configurable: false });
  }
  return {
    reset: frames.reset,
    belongsTo: (attemptId) => noteAttempt(words, attemptId),
    resumed: () => (words[LIVE_WORDS.resumed] ?? 0) >>> 0,
  };
}

/** They hand a value on. */
const VALUE_CALLS = {
  /** What follows the value is evaluated after it; that is its whole purpose. */
  [CALLS.first]: (value: unknown) => value,
  [CALLS.iterate]: iterateWatched,
  [CALLS.iterateSync]: iterateSyncWatched,
  [CALLS.atDispose]: (park: () => void) => ({ [Symbol.dispose]: () => park() }),
};

/** The engine finds this in JavaScript, and ends the thread here. */
function standStill(): never {
  for (;;);
}

function createStackCalls(words: Int32Array) {
  const stop = (): void => {
    words[LIVE_WORDS.looked] = 0;
    if (words[LIVE_WORDS.stop] !== 0) standStill();
  };
  const enter = (location: number): number => {
    const depth = (words[LIVE_WORDS.depth] as number) + 1;
    words[LOCATIONS + (depth & SLOT_MASK)] = location;
    words[LIVE_WORDS.depth] = depth;
    if (words[LIVE_WORDS.stop] !== 0) standStill();
    return depth;
  };
  return {
    [CALLS.enter]: enter,
    [CALLS.stop]: stop,
    [CALLS.stopBig]: (value: unknown): void => {
      if (typeof value === "bigint") stop();
    },
    [CALLS.store]: (depth: number, location: number): void => {
      words[LOCATIONS + (depth & SLOT_MASK)] = location;
    },
    [CALLS.leave]: (depth: number): void => {
      words[LIVE_WORDS.depth] = depth - 1;
    },
    /** A stack that overflowed inside a `finally` left frames behind; the frame that catches puts the depth right. */
    [CALLS.caught]: (depth: number): void => {
      words[LIVE_WORDS.depth] = depth;
    },
    /** At a `yield`, and at the end of a generator, which may be suspended then. */
    [CALLS.giveUp]: (depth: number): number => {
      if (depth !== 0) words[LIVE_WORDS.depth] = depth - 1;
      return 0;
    },
    /** In a block that may be reached with or without a `yield` before. */
    [CALLS.reenter]: (depth: number, location: number): number => {
      if (depth === 0) return enter(location);
      words[LOCATIONS + (depth & SLOT_MASK)] = location;
      words[LIVE_WORDS.depth] = depth;
      return depth;
    },
  };
}
