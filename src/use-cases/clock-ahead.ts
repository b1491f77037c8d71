// Measures how far this process's clock is ahead of the database's.
import type { Store } from "../store/store.ts";

/** From here on times that people compare would mislead. */
export const CLOCK_LIMIT_MS = 5_000;

/** An answer that took longer says too little about when it was given. */
const SLOWEST_ANSWER_MS = 1_000;

/** Undefined when the database answered too slowly to tell. */
export async function measureClockAhead(store: Pick<Store, "now">): Promise<number | undefined> {
  const { aheadMs, tookMs } = await compareClocks(store);
  return tookMs > SLOWEST_ANSWER_MS ? undefined : aheadMs;
}

/** How far ahead, and how long the answer took: half of that it may be wrong. */
export async function compareClocks(store: Pick<Store, "now">) {
  const [askedAt, startedAt] = [Date.now(), performance.now()];
  const databaseNow = await store.now();
  const tookMs = performance.now() - startedAt;
  return { aheadMs: Math.round(askedAt + tookMs / 2 - databaseNow), tookMs };
}
