// Watches the executor's resident memory and tells when it is over its limit.
import type { MemoryLook, MemoryPressure } from "../consumer/memory-evidence.ts";
import { every } from "../core/every.ts";
import type { Logger } from "../core/logger.ts";
import { filledByThread } from "../process/thread-stat.ts";

const LOOK_MS = 100;
/** A minute of looks tells where the growth came from. */
const MOST_LOOKS = 600;
/** What was freed by an end is seen after this time. */
const PAUSE_MS = 2_000;
/** After an end nobody else has to go before the memory grew by this share of the limit again. */
const REGROWN_SHARE = 0.05;
const BYTES_PER_MB = 1_048_576;

export interface MemoryWatchDeps {
  readonly limitMb: number;
  readonly onPressure: (memory: MemoryPressure) => void;
  readonly logger: Logger;
}

/** Starts watching; the returned function stops it. */
export function watchMemory({ limitMb, onPressure, logger }: MemoryWatchDeps): () => Promise<void> {
  const judge = createMemoryJudge(limitMb);
  return every(
    LOOK_MS,
    () => {
      const rssMb = Math.round(process.memoryUsage.rss() / BYTES_PER_MB);
      const looks = judge({ at: Date.now(), rssMb, filledMb: filledByThread() });
      if (looks === null) return;
      logger.warn(
        { rss_mb: rssMb, limit_mb: limitMb },
        "over the memory limit: an attempt is ended",
      );
      onPressure({ limitMb, looks });
    },
    logger,
  );
}

/**
 * Takes one look after the other; returns the looks that show which attempt is to blame, or null. A runtime gives memory back
 * late, and some of it never: only what grows again after an end is somebody else's.
 */
export function createMemoryJudge(
  limitMb: number,
): (look: MemoryLook) => readonly MemoryLook[] | null {
  let looks: MemoryLook[] = [];
  let endedAt: number | null = null;
  return (look) => {
    looks.push(look);
    if (looks.length > MOST_LOOKS) looks.shift();
    if (look.rssMb <= limitMb) return null;
    if (endedAt !== null) {
      const lowestMb = Math.min(...looks.map(({ rssMb }) => rssMb));
      const hasRegrown = look.rssMb - lowestMb >= limitMb * REGROWN_SHARE;
      if (look.at - endedAt < PAUSE_MS || !hasRegrown) return null;
    }
    const told = looks;
    endedAt = look.at;
    looks = [look];
    return told;
  };
}
