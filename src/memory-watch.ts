// Watches the executor's resident memory and tells when it is over its limit.
import type { MemoryPressure } from "./consumer/protocol.ts";
import { every } from "./core/every.ts";
import type { Logger } from "./core/logger.ts";

const LOOK_MS = 250;
/** What was freed by an end is seen after this time. */
const PAUSE_MS = 2_000;
/** Below this share of the limit nothing is said to grow. */
const CALM_SHARE = 0.75;
const BYTES_PER_MB = 1_048_576;

export interface MemoryWatchDeps {
  readonly limitMb: number;
  readonly onPressure: (memory: MemoryPressure) => void;
  readonly logger: Logger;
}

/** Starts watching; the answer stops it. */
export function watchMemory({ limitMb, onPressure, logger }: MemoryWatchDeps): () => Promise<void> {
  let calmAtMs = performance.now();
  let quietUntilMs = 0;
  return every(
    LOOK_MS,
    () => {
      const nowMs = performance.now();
      const rssMb = Math.round(process.memoryUsage.rss() / BYTES_PER_MB);
      if (rssMb < limitMb * CALM_SHARE) calmAtMs = nowMs;
      if (rssMb <= limitMb || nowMs < quietUntilMs) return;
      quietUntilMs = nowMs + PAUSE_MS;
      logger.warn(
        { rss_mb: rssMb, limit_mb: limitMb },
        "over the memory limit: an attempt is ended",
      );
      onPressure({ rssMb, limitMb, growingForMs: nowMs - calmAtMs });
    },
    logger,
  );
}
