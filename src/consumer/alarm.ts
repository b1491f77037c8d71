// Wakes one waiting loop: at once when rung, or when the earliest known moment has come.

export interface Alarm {
  /** Wakes the loop now, or lets its next wait return at once. */
  ring(): void;
  /** Wakes the loop in `delayMs`, if nothing wakes it earlier. */
  ringIn(delayMs: number): void;
  /** Settles when rung, when a known moment has come, or after `longestMs`. */
  wait(longestMs: number): Promise<void>;
}

/** Moments are kept on the monotonic clock; a ring between two waits is never lost. */
export function createAlarm(): Alarm {
  let dueAt = Number.POSITIVE_INFINITY;
  let wake: (() => void) | null = null;
  let timer: ReturnType<typeof setTimeout> | undefined;

  function schedule(): void {
    if (wake === null) return;
    clearTimeout(timer);
    timer = setTimeout(wake, Math.max(0, dueAt - performance.now()));
  }

  function ringIn(delayMs: number): void {
    const at = performance.now() + delayMs;
    if (at >= dueAt) return;
    dueAt = at;
    schedule();
  }

  return {
    ring: () => ringIn(0),
    ringIn,
    wait: (longestMs) =>
      new Promise((resolve) => {
        wake = () => {
          wake = null;
          dueAt = Number.POSITIVE_INFINITY;
          resolve();
        };
        dueAt = Math.min(dueAt, performance.now() + longestMs);
        schedule();
      }),
  };
}
