// What a job worker's thread uses up: processor time and its process's memory from outside, its heap from its own last word.
import type { Vitals } from "../../core/attempt.ts";
import { threadStat } from "../../process/thread-stat.ts";
import type { MemoryWord } from "../wire/protocol.ts";

/** Notes what is known of one job worker. */
export interface VitalSigns {
  pinged(): void;
  answered(memory: MemoryWord | undefined): void;
  loaded(memory: MemoryWord): void;
  read(thread: ThreadToRead): Vitals;
}

export interface ThreadToRead {
  readonly threadId: number | null;
  /** What it noted when its code ended it. */
  readonly cpuAtExitMs: number | null;
}

export function createVitalSigns(): VitalSigns {
  let memory: MemoryWord | null = null;
  let memoryAtMs = 0;
  const note = (word: MemoryWord) => {
    memory = word;
    memoryAtMs = performance.now();
  };
  /** When the oldest ping without an answer was sent. */
  let silentSinceMs: number | null = null;
  let lagMs: number | null = null;

  return {
    pinged() {
      silentSinceMs ??= performance.now();
    },
    answered(word) {
      lagMs = silentSinceMs === null ? lagMs : performance.now() - silentSinceMs;
      silentSinceMs = null;
      if (word !== undefined) note(word);
    },
    loaded: note,
    read({ threadId, cpuAtExitMs }) {
      const nowMs = performance.now();
      const living = threadId === null ? null : threadStat(threadId);
      const lag = silentSinceMs === null ? lagMs : nowMs - silentSinceMs;
      return {
        cpuMs: living?.cpuMs ?? cpuAtExitMs,
        heapBytes: memory?.heapBytes ?? null,
        // It is a thread of this process.
        rssBytes: process.memoryUsage.rss(),
        memoryAgeMs: memory === null ? 0 : Math.round(nowMs - memoryAtMs),
        eventLoopLagMs: lag === null ? null : Math.round(lag),
      };
    },
  };
}

const UNKNOWN: Vitals = {
  cpuMs: null,
  heapBytes: null,
  rssBytes: null,
  memoryAgeMs: null,
  eventLoopLagMs: null,
};

/** Keeps the vitals that a job process sent last. */
export function createToldVitals() {
  let last = UNKNOWN;
  let toldAtMs = 0;
  return {
    received(vitals: Vitals): void {
      last = vitals;
      toldAtMs = performance.now();
    },
    /** Its memory ages until it says something again. */
    read(): Vitals {
      const { memoryAgeMs } = last;
      if (memoryAgeMs === null) return last;
      return { ...last, memoryAgeMs: Math.round(memoryAgeMs + performance.now() - toldAtMs) };
    },
  };
}
