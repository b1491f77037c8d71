// Keeps the questions that wait for an answer, each no longer than its time.
import type { LiveAnswer } from "../core/live.ts";
import { within } from "../core/within.ts";

export interface PendingAsks {
  /**
   * Waits for `settle` with the id given to `send`; undefined after `timeoutMs`, or as soon as `send` returns false or
   * fails, because then no answer will come.
   */
  ask(timeoutMs: number, send: (id: number) => Promise<boolean>): Promise<LiveAnswer | undefined>;
  /** Settles the question with this id; an id that waits no more is ignored. */
  settle(id: number, answer: LiveAnswer): void;
  /** Settles all that wait with undefined: nothing will come any more. */
  giveUp(): void;
  /** Gives up: what waits, and every later question, settles with undefined at once. */
  close(): void;
}

/** More are answered with undefined at once. */
const MAX_PENDING = 10_000;

export function createPendingAsks(): PendingAsks {
  const waiting = new Map<number, (answer: LiveAnswer | undefined) => void>();
  let lastId = 0;
  let isClosed = false;

  const giveUp = (): void => {
    for (const resolve of waiting.values()) resolve(undefined);
  };

  return {
    ask: async (timeoutMs, send) => {
      if (isClosed || waiting.size >= MAX_PENDING) return undefined;
      lastId += 1;
      const id = lastId;
      const { promise, resolve } = Promise.withResolvers<LiveAnswer | undefined>();
      waiting.set(id, resolve);
      send(id).then(
        (isSent) => (isSent ? undefined : resolve(undefined)),
        () => resolve(undefined),
      );
      try {
        return await within(promise, timeoutMs);
      } finally {
        waiting.delete(id);
      }
    },
    settle: (id, answer) => waiting.get(id)?.(answer),
    giveUp,
    close: () => {
      isClosed = true;
      giveUp();
    },
  };
}
