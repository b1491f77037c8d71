// Notes which applications create tasks, now and then and beside the creates: executors share their slots by it.

import { messageOf } from "../core/errors.ts";
import type { Logger } from "../core/logger.ts";
import { ClearedWhenFull } from "../core/remember.ts";
import type { ApplicationStore } from "../store/store.ts";

/** The store is told at most so often per application. */
const NOTE_EVERY_MS = 600_000;
const MOST_NOTED = 10_000;

export interface ApplicationUse {
  /** Their tasks were just stored. Never throws: what is lost is noted with the next create. */
  note(applicationIds: readonly number[]): void;
  /** Settles when everything noted so far is stored or lost. */
  settled(): Promise<void>;
}

export function createApplicationUse(deps: {
  readonly applications: Pick<ApplicationStore, "noteUse">;
  readonly logger: Logger;
  /** Monotonic ms. */
  readonly clockMs?: () => number;
}): ApplicationUse {
  const { applications, logger, clockMs = () => performance.now() } = deps;
  const notedAt = new ClearedWhenFull<number, number>(MOST_NOTED);
  const writing = new Set<Promise<void>>();

  function write(id: number): void {
    notedAt.set(id, clockMs());
    const written: Promise<void> = applications
      .noteUse(id)
      .catch((thrown: unknown) => {
        notedAt.delete(id);
        logger.debug({ error: messageOf(thrown) }, "the use of an application was not noted");
      })
      .finally(() => writing.delete(written));
    writing.add(written);
  }

  return {
    note(applicationIds) {
      for (const id of new Set(applicationIds)) {
        const isDue = clockMs() - (notedAt.get(id) ?? Number.NEGATIVE_INFINITY) >= NOTE_EVERY_MS;
        if (isDue) write(id);
      }
    },
    async settled() {
      await Promise.all(writing);
    },
  };
}
