// Keeps the questions that wait for an answer, each no longer than its time.
import type { LiveAnswer } from "../core/live.ts";
import { within } from "../core/within.ts";

export interface PendingAsks {
  /**
   * Waits for `settle` with the id given to `send`; undefined after `timeoutMs`, or as soon as `send` answers false or
   * fails, because then nobody will answer.
   */
  ask(timeoutMs: number, send: (id: number) => Promise<boolean>): Promise<LiveAnswer | undefined>;
  /** Answers one that waits; an id that waits no more is ignored. */
  settle(id: number, answer: LiveAnswer): void;
  /** Answers all that wait with undefined: nothing will come any more. */
  giveUp(): void;
  /** Gives up, and answers all that come with undefined at once. */
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
