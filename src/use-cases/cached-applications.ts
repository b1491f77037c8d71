// The applications of the store, remembered for a second, so that checking a signature rarely costs a query.

import { createGate } from "../core/gate.ts";
import { ClearedWhenFull } from "../core/remember.ts";
import { createShortCache } from "../core/short-cache.ts";
import type { Application, ApplicationStore } from "../store/store.ts";

/** What another process changed in an application, its secrets above all, is seen here at most this much later. */
const TTL_MS = 1_000;
/** Keys nobody has, remembered. */
const MOST_MISSING = 1_000;
/** Keys that were found once: a flood of made-up ones must not stand in their way. */
const MOST_FAMILIAR = 10_000;
/** Queries for keys that were never found, at once and waiting. */
const STRANGERS = { atOnce: 4, waiting: 200, what: "unknown app_keys are being looked up" };

/**
 * The same store behind a memory of what was found, and of what was not. Keys that were never found are asked for a few
 * at a time, so that made-up ones cannot fill the database's connections. That a key is in use can show in the answer
 * and in its time; keys are no secret, secrets are.
 */
export function cacheApplications(
  applications: ApplicationStore,
  clockMs: () => number = () => performance.now(),
): ApplicationStore {
  const gate = createGate(STRANGERS);
  const familiar = new ClearedWhenFull<string, true>(MOST_FAMILIAR);
  const missingUntil = new Map<string, number>();
  const find = createShortCache({ load, ttlMs: TTL_MS, clockMs });

  async function load(key: string): Promise<Application | undefined> {
    const askedAt = clockMs();
    const ask = () => applications.find(key);
    const found = await (familiar.has(key) ? ask() : gate.pass(ask));
    if (found === undefined) noteMissing(missingUntil, key, askedAt + TTL_MS);
    else familiar.set(key, true);
    return found;
  }

  return {
    create: async (application) => {
      const created = await applications.create(application);
      missingUntil.delete(application.appKey);
      return created;
    },
    noteUse: (id) => applications.noteUse(id),
    countInUse: (withinMs) => applications.countInUse(withinMs),
    find: async (key) => (clockMs() < (missingUntil.get(key) ?? 0) ? undefined : find(key)),
    rotate: async (rotation) => {
      try {
        return await applications.rotate(rotation);
      } finally {
        find.forget(rotation.appKey);
      }
    },
  };
}

function noteMissing(missing: Map<string, number>, key: string, until: number): void {
  missing.delete(key);
  const [oldest] = missing.keys();
  if (missing.size >= MOST_MISSING && oldest !== undefined) missing.delete(oldest);
  missing.set(key, until);
}
