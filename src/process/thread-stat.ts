// What the system counts of single threads of this process: processor time, and the memory they touched first.
import { readdirSync, readFileSync } from "node:fs";

/** Linux counts processor time in these. */
const TICKS_PER_S = 100;
const BYTES_PER_MB = 1_048_576;
const AT_PAGESZ = 6n;
const COMMON_PAGE_BYTES = 4_096;

export interface ThreadStat {
  readonly cpuMs: number;
  /** Memory that came into being for it: resident memory grows by page faults, and each is one thread's. */
  readonly filledMb: number;
}

const pageBytes = readPageBytes();

/** Null where the system has no /proc, or the thread is gone. */
export function threadStat(threadId: number | string): ThreadStat | null {
  try {
    const stat = readFileSync(`/proc/self/task/${threadId}/stat`, "latin1");
    // The name of a thread may hold spaces and brackets: what follows the last bracket is plain.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return {
      cpuMs: ((Number(fields[11]) + Number(fields[12])) * 1_000) / TICKS_PER_S,
      filledMb: (Number(fields[7]) * pageBytes) / BYTES_PER_MB,
    };
  } catch {
    return null;
  }
}

/** `filledMb` of every thread, by its system id; empty where there is no /proc. */
export function filledByThread(): ReadonlyMap<number, number> {
  const filled = new Map<number, number>();
  for (const id of threadIds()) {
    const stat = threadStat(id);
    if (stat !== null) filled.set(Number(id), stat.filledMb);
  }
  return filled;
}

function threadIds(): string[] {
  try {
    return readdirSync("/proc/self/task");
  } catch {
    return [];
  }
}

/** From the pairs the kernel hands to every program; most systems have 4 KiB, some 64. */
function readPageBytes(): number {
  try {
    const bytes = readFileSync("/proc/self/auxv");
    const words = new BigUint64Array(new Uint8Array(bytes).buffer, 0, bytes.length >> 3);
    const at = words.findIndex((key, index) => index % 2 === 0 && key === AT_PAGESZ);
    return at < 0 ? COMMON_PAGE_BYTES : Number(words[at + 1]);
  } catch {
    return COMMON_PAGE_BYTES;
  }
}
