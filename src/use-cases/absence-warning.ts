// Warns of tasks whose job no living executor has: in the answer of the create, and once a minute in the log.

import { messageOf } from "../core/errors.ts";
import { type JobHolders, nobodyHas, SILENT_MS } from "../core/job-holders.ts";
import type { Logger } from "../core/logger.ts";
import { createShortCache } from "../core/short-cache.ts";
import { within } from "../core/within.ts";
import type { Store } from "../store/store.ts";

export interface AbsenceDeps {
  readonly store: Pick<Store, "executors">;
  readonly logger: Logger;
  readonly timezone: string;
  readonly silentMs?: number;
}

export interface Warnings {
  readonly warnings?: readonly string[];
}

/** A create is not kept waiting for a warning: what is not known by then is not told. */
const WAIT_MS = 250;
const LOG_EVERY_MS = 60_000;

/** What to warn of for a task with this job (null: a callback). Never rejects. */
export function createAbsenceWarning(deps: AbsenceDeps): (job: string | null) => Promise<Warnings> {
  const { store, logger, timezone, silentMs = SILENT_MS } = deps;
  const holdersOf = createShortCache({
    load: async (job) => {
      const holders = await within(store.executors.holders(job, silentMs), WAIT_MS);
      return holders && { holders, text: textOf(job, holders) };
    },
  });
  const loggedAt = new Map<string, number>();

  /** Made once for all creates of the next second; null: somebody has the job. */
  function textOf(job: string, holders: JobHolders): string | null {
    return holders.kind === "none" ? nobodyHas(job, holders, timezone) : null;
  }

  function log(job: string, { last }: JobHolders, text: string): void {
    const nowMs = performance.now();
    if (nowMs - (loggedAt.get(job) ?? Number.NEGATIVE_INFINITY) < LOG_EVERY_MS) return;
    loggedAt.set(job, nowMs);
    logger.warn({ job, last_seen_on: last?.serviceId ?? null }, `${text}: its tasks wait`);
  }

  return async (job) => {
    if (job === null) return {};
    const found = await holdersOf(job).catch((thrown: unknown) => {
      logger.debug({ error: messageOf(thrown) }, "who has the job could not be read");
      return undefined;
    });
    if (found === undefined || found.text === null) return {};
    log(job, found.holders, found.text);
    return { warnings: [found.text] };
  };
}
