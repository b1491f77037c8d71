// What every executor repeats: its sign of life, the reap, the retention. Each step is guarded, so many may do it.
import type { Config } from "../config/config.ts";
import { logAttemptEnd } from "../core/attempt-log.ts";
import { every } from "../core/every.ts";
import type { Logger } from "../core/logger.ts";
import { foldersIn, placesIn, removeDeadDumps } from "../live/read-crash-dumps.ts";
import type { Store } from "../store/store.ts";
import { CLOCK_LIMIT_MS, measureClockAhead } from "../use-cases/clock-ahead.ts";
import { type OnEnd, reapExpired } from "../use-cases/reap.ts";

const REAP_EVERY_MS = 1000;
const PRUNE_EVERY_MS = 60_000;
const PRUNE_BATCH = 1000;
const DAY_MS = 86_400_000;
/** Failed tasks are kept longer: they are what somebody will ask about. */
const FAILED_DAYS = 30;

export interface HousekeepingDeps {
  readonly store: Store;
  readonly serviceId: string;
  readonly config: Pick<Config, "leaseMs" | "retentionDays" | "jobForgetDays" | "signatureTtlS">;
  readonly logger: Logger;
  /** Holds what each executor of this machine leaves. */
  readonly dumpsDir: string;
}

/** Starts the loops; the returned function stops them, and resolves when no step is under way. */
export function keepHouse(deps: HousekeepingDeps): () => Promise<void> {
  const { config, logger } = deps;
  const stops = [
    every(config.leaseMs / 3, createBeat(deps), logger),
    every(REAP_EVERY_MS, createReap(deps), logger),
    every(PRUNE_EVERY_MS, () => prune(deps), logger),
  ];
  return async () => {
    await Promise.all(stops.map((stop) => stop()));
  };
}

/** Its sign of life, with how far its clock is off: logged once each time it goes wrong. */
function createBeat({ store, serviceId, logger }: HousekeepingDeps): () => Promise<void> {
  let isOff = false;
  return async () => {
    const aheadMs = await measureClockAhead(store);
    await store.executors.beat(serviceId, aheadMs);
    const wasOff = isOff;
    isOff = aheadMs === undefined ? wasOff : Math.abs(aheadMs) > CLOCK_LIMIT_MS;
    if (isOff && !wasOff) {
      logger.warn({ ahead_ms: aheadMs }, "the clock of this executor differs from the database's");
    }
  };
}

/** Reaps only after one full lease of unbroken contact: an outage must not look like everybody's death. */
function createReap({ store, config, logger, dumpsDir }: HousekeepingDeps): () => Promise<void> {
  let contactSince = performance.now();
  return async () => {
    try {
      await store.ping();
      if (performance.now() - contactSince < config.leaseMs) return;
      const findPlace = placesIn(() => foldersIn(dumpsDir));
      const onEnd: OnEnd = (ended) => logAttemptEnd(logger, ended);
      const returned = await reapExpired(store, { findPlace, onEnd });
      if (returned > 0) logger.warn({ tasks: returned }, "tasks with expired leases were returned");
      await store.executors.declareSilentDead(config.leaseMs * 2);
    } catch (thrown) {
      contactSince = performance.now();
      throw thrown;
    }
  };
}

async function prune({ store, config, logger, dumpsDir }: HousekeepingDeps): Promise<void> {
  const olderThanMs = config.retentionDays * DAY_MS;
  const failedOlderThanMs = Math.max(config.retentionDays, FAILED_DAYS) * DAY_MS;
  let deleted = 0;
  for (;;) {
    const count = await store.tasks.prune({ olderThanMs, failedOlderThanMs, limit: PRUNE_BATCH });
    deleted += count;
    if (count < PRUNE_BATCH) break;
  }
  await store.tasks.pruneNonces(NONCE_AGE_MS);
  if (config.jobForgetDays > 0) {
    const jobs = await store.catalogue.forget(config.jobForgetDays * DAY_MS);
    if (jobs.length > 0) logger.info({ jobs }, "jobs that no executor has were forgotten");
  }
  removeDeadDumps(dumpsDir, await store.executors.living());
  if (deleted > 0)
    logger.info({ tasks: deleted }, "finished tasks beyond their retention were deleted");
}

/** Twice the ±300 s in which a body-bound request is accepted. */
const NONCE_AGE_MS = 2 * 600_000;
