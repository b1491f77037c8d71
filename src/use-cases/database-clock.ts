// The database's clock, read seldom and carried on by this process's monotonic one.
import type { Store } from "../store/store.ts";

export interface DatabaseClockOptions {
  /** How long one reading is carried on. Default 10,000. */
  readonly maxAgeMs?: number;
  /** Monotonic ms. */
  readonly clockMs?: () => number;
}

/**
 * Epoch ms on the database's clock, never ahead of it: counted from when the answer came, while the database took its
 * time before. So what is past by this clock is past for the database too.
 */
export function createDatabaseClock(
  store: Pick<Store, "now">,
  options: DatabaseClockOptions = {},
): () => Promise<number> {
  const { maxAgeMs = 10_000, clockMs = () => performance.now() } = options;
  let offsetMs = 0;
  let readAt = Number.NEGATIVE_INFINITY;

  return async () => {
    if (clockMs() - readAt > maxAgeMs) {
      const nowMs = await store.now();
      readAt = clockMs();
      offsetMs = nowMs - readAt;
    }
    return Math.floor(clockMs() + offsetMs);
  };
}
