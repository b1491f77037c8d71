// Lets a few pass at once, some more wait in line, and the rest be told to come again.
import { AppError } from "./errors.ts";

export interface GateOptions {
  readonly atOnce: number;
  /** In line behind them. */
  readonly waiting: number;
  /** What there are too many of, for the refusal. */
  readonly what: string;
}

export interface EntryGate {
  /** Does the work when it is its turn. Throws AppError `unavailable` at once when the line is full. */
  pass<T>(work: () => Promise<T>): Promise<T>;
}

export function createGate({ atOnce, waiting, what }: GateOptions): EntryGate {
  const line: (() => void)[] = [];
  let inside = 0;

  function leave(): void {
    const next = line.shift();
    // The place goes straight to the next one: no later caller may take it.
    if (next === undefined) inside -= 1;
    else next();
  }

  async function enter(): Promise<void> {
    if (inside < atOnce) {
      inside += 1;
      return;
    }
    if (line.length >= waiting) {
      throw new AppError("unavailable", `too many ${what}; try again shortly`, { retryAfterS: 1 });
    }
    await new Promise<void>((resolve) => line.push(resolve));
  }

  return {
    async pass(work) {
      await enter();
      try {
        return await work();
      } finally {
        leave();
      }
    },
  };
}
