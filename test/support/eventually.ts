// Repeats an attempt until it succeeds, or until nobody would wait for it any more.
import { setTimeout as delay } from "node:timers/promises";
import { patienceMs } from "./patience.ts";

const TRY_EVERY_MS = 10;

/** The first result of `attempt` that is not undefined; throws its last error, or says so, when patience ends. */
export async function eventually<T>(
  attempt: () => Promise<T | undefined> | T | undefined,
  atLeastMs?: number,
): Promise<T> {
  const deadlineMs = patienceMs(atLeastMs);
  const endAt = performance.now() + deadlineMs;
  for (;;) {
    const outcome = await tryOnce(attempt);
    if ("value" in outcome && outcome.value !== undefined) return outcome.value;
    if (performance.now() > endAt) {
      throw new Error(`not within ${deadlineMs} ms`, {
        cause: outcome.error,
      });
    }
    await delay(TRY_EVERY_MS);
  }
}

async function tryOnce<T>(attempt: () => Promise<T> | T): Promise<{ value?: T; error?: unknown }> {
  try {
    return { value: await attempt() };
  } catch (error) {
    return { error };
  }
}
