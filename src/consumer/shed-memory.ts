// Ends the one attempt that is to blame most likely when an executor is over its memory limit.
import type { OwnedAttempt } from "./owned.ts";
import type { MemoryPressure } from "./protocol.ts";

/** An attempt on a thread of the executor, as far as the choice needs it. */
export interface MemorySuspect {
  /** On the clock of `performance.now()`. */
  readonly startedMs: number;
  /** Last known; null where the runtime tells none. */
  readonly heapBytes: number | null;
}

const BYTES_PER_MB = 1_048_576;

/** Ends it as crashed, `out_of_memory`; its error says how sure the choice is. Processes have memory of their own. */
export function shedMemory(owned: readonly OwnedAttempt[], memory: MemoryPressure): void {
  const running = owned.flatMap((attempt) => {
    const suspect = attempt.end === undefined ? attempt.running.suspect?.() : undefined;
    return suspect === undefined ? [] : [{ ...suspect, attempt }];
  });
  const choice = chooseSuspect(running, performance.now() - memory.growingForMs);
  if (choice === undefined) return;
  const over = `the executor used ${memory.rssMb} MB, EXECUTOR_RSS_MB allows ${memory.limitMb}`;
  choice.suspect.attempt.running.stop("memory", { why: `${over}; ${choice.why}` });
}

interface Choice<S> {
  readonly suspect: S;
  readonly why: string;
}

/** The best evidence there is: nobody else, then the largest heap, then the youngest when the growth began. */
export function chooseSuspect<S extends MemorySuspect>(
  running: readonly S[],
  growthBeganMs: number,
): Choice<S> | undefined {
  const [only, second] = running;
  if (only === undefined) return;
  if (second === undefined) {
    return { suspect: only, why: "certain: it was the only attempt on a thread" };
  }
  const [largest] = running.toSorted((a, b) => (b.heapBytes ?? -1) - (a.heapBytes ?? -1));
  if (largest !== undefined && largest.heapBytes !== null) {
    const heapMb = Math.round(largest.heapBytes / BYTES_PER_MB);
    return { suspect: largest, why: `likely: its last known heap was the largest, ${heapMb} MB` };
  }
  const before = running.filter(({ startedMs }) => startedMs <= growthBeganMs);
  const [youngest = only] = (before.length > 0 ? before : running).toSorted(
    (a, b) => b.startedMs - a.startedMs,
  );
  const why = `a guess: of ${running.length} attempts it was the last to start before the memory grew`;
  return { suspect: youngest, why };
}
