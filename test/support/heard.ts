// Collects what a callback is given and waits, as long as tests do, until there is enough of it.
import { patienceMs } from "./patience.ts";

export interface Heard<T> {
  readonly all: readonly T[];
  /** The callback to hand out. */
  readonly hear: (value: T) => void;
  /** Resolves with everything when at least `count` were heard; rejects when patience ends. */
  atLeast(count: number, atLeastMs?: number): Promise<readonly T[]>;
}

interface Waiter {
  readonly count: number;
  readonly resolve: () => void;
}

export function collectHeard<T>(): Heard<T> {
  const all: T[] = [];
  const waiters = new Set<Waiter>();
  const hear = (value: T): void => {
    all.push(value);
    for (const waiter of waiters) if (all.length >= waiter.count) waiter.resolve();
  };
  const atLeast = async (count: number, atLeastMs?: number): Promise<readonly T[]> => {
    const deadlineMs = patienceMs(atLeastMs);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const tooLate = () => reject(new Error(`heard ${all.length} of ${count} in ${deadlineMs} ms`));
    const timer = setTimeout(tooLate, deadlineMs);
    const waiter: Waiter = { count, resolve };
    waiters.add(waiter);
    if (all.length >= count) resolve();
    try {
      await promise;
      return all;
    } finally {
      clearTimeout(timer);
      waiters.delete(waiter);
    }
  };
  return { all, hear, atLeast };
}
