// The applications of the store, remembered for a second, so that checking a signature rarely costs a query.
import type { ApplicationStore } from "../store/store.ts";
import { createShortCache } from "./short-cache.ts";

/** What another process changed in an application, its secrets above all, is seen here at most this much later. */
const TTL_MS = 1_000;

/**
 * The same store behind a memory of found applications. Unknown keys are always asked for, so a new application works
 * at once. That a key is in use can show in the time of an answer; keys are no secret, secrets are.
 */
export function cacheApplications(applications: ApplicationStore): ApplicationStore {
  const find = createShortCache({ load: (key) => applications.find(key), ttlMs: TTL_MS });
  return {
    create: (application) => applications.create(application),
    find,
    rotate: async (rotation) => {
      try {
        return await applications.rotate(rotation);
      } finally {
        find.forget(rotation.appKey);
      }
    },
  };
}
