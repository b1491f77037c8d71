// Thins events of which only the newest counts: at most ten a second of a kind, and the last one always.
import type { EventWriter } from "../wire/event-ring.ts";
import { clockMs, startTimer, stopTimer } from "../wire/intrinsics.ts";

const INTERVAL_MS = 100;

export interface ThinnedEvents {
  /** Writes it now, or within 100 ms unless a newer one comes first; `read` is called when it is written. */
  put(read: () => unknown): void;
  /** Writes what waits. */
  flush(): void;
}

/** Of one type of events of one attempt. A job that spins holds back what waits until its event loop turns. */
export function thinEvents(
  write: EventWriter["write"],
  type: Parameters<EventWriter["write"]>[0],
): ThinnedEvents {
  let waiting: (() => unknown) | null = null;
  let timer: unknown = null;
  let nextMs = 0;

  function flush(): void {
    if (timer !== null) stopTimer(timer);
    timer = null;
    if (waiting === null) return;
    const read = waiting;
    waiting = null;
    nextMs = clockMs() + INTERVAL_MS;
    write(type, read());
  }

  return {
    put(read) {
      waiting = read;
      const leftMs = Math.min(nextMs - clockMs(), INTERVAL_MS);
      if (leftMs <= 0) flush();
      else timer ??= startTimer(flush, leftMs);
    },
    flush,
  };
}
