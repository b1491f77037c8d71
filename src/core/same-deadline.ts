// One timer for many waits of the same length: whatever began first is over first.

/** Begins a wait; `onLate` is called once its time is up, unless what this returns is called before. */
export type BeginWait = (onLate: () => void) => () => void;

interface Wait {
  readonly onLate: () => void;
  /** Monotonic ms. */
  readonly untilMs: number;
}

/** A timer for each of thousands of creates per second would cost more than the rest of their wait. */
export function createSameDeadline(ms: number): BeginWait {
  /** In the order in which they began. */
  const open = new Set<Wait>();
  let timer: ReturnType<typeof setTimeout> | undefined;

  function sweep(): void {
    timer = undefined;
    const nowMs = performance.now();
    for (const wait of open) {
      if (wait.untilMs > nowMs) {
        timer = setTimeout(sweep, wait.untilMs - nowMs);
        return;
      }
      open.delete(wait);
      wait.onLate();
    }
  }

  function end(wait: Wait): void {
    open.delete(wait);
    if (open.size > 0) return;
    clearTimeout(timer);
    timer = undefined;
  }

  return (onLate) => {
    const wait = { onLate, untilMs: performance.now() + ms };
    open.add(wait);
    timer ??= setTimeout(sweep, ms);
    return () => end(wait);
  };
}
