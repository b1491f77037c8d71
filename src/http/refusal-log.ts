// Tells the log why signatures are refused, now and then: a caller that is refused a thousand times gets one line.
import type { Logger } from "../core/logger.ts";
import type { FailedCheck, RefusalNote } from "../core/refusal-note.ts";

export interface RefusalLog {
  note(refusal: RefusalNote, path: string): void;
}

const WINDOW_MS = 10_000;
/** Lines per window for one check, over all app_keys: they can be made up without end. */
const MOST_PER_CHECK = 20;
const MAX_KEY_LENGTH = 64;

/** One line per app_key and check within 10 s, and never more than 20 for one check. */
export function createRefusalLog(
  logger: Logger,
  clockMs: () => number = () => performance.now(),
): RefusalLog {
  const told = new Map<FailedCheck, Set<string>>();
  let windowEndsAt = 0;

  function isNews(check: FailedCheck, appKey: string): boolean {
    if (clockMs() >= windowEndsAt) {
      windowEndsAt = clockMs() + WINDOW_MS;
      told.clear();
    }
    const keys = told.get(check) ?? new Set();
    told.set(check, keys);
    if (keys.has(appKey) || keys.size >= MOST_PER_CHECK) return false;
    keys.add(appKey);
    return true;
  }

  return {
    note({ check, appKey = "", missing, skewS }, path) {
      const shown = printable(appKey);
      if (!isNews(check, shown)) return;
      const skew = skewS === undefined ? {} : { skew_s: skewS };
      const absent = missing === undefined ? {} : { missing: missing.join(", ") };
      const key = shown === "" ? {} : { app_key: shown };
      logger.info({ check, ...absent, ...skew, ...key, path }, "a signature was refused");
    },
  };
}

function printable(appKey: string): string {
  return appKey.slice(0, MAX_KEY_LENGTH).replaceAll(/[^\x21-\x7e]/g, "?");
}
