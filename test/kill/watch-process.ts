// Looks at a process from outside: which of its threads burn, and what else lives that carries its mark.
import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";

const LOOK_MS = 200;
/** Of a look a thread that burns runs or waits for a core all the time; one that sleeps does neither. */
const BURNING_SHARE = 0.5;
/** Starting a job worker takes less. */
const LOOKS = 5;

/** For how many ms each thread of a process has run or waited for a core, by thread id: others may want the cores too. */
function busyMsOf(pid: number): Map<string, number> {
  const busyMs = new Map<string, number>();
  for (const id of list(`/proc/${pid}/task`)) {
    const [ran, waited] = text(`/proc/${pid}/task/${id}/schedstat`).split(" ");
    busyMs.set(id, (Number(ran) + Number(waited)) / 1_000_000);
  }
  return busyMs;
}

/** How many threads of it burn look after look, its main thread left out: one that starts is busy for a look or two. */
export async function burningThreads(pid: number): Promise<number> {
  let burning = await burningNow(pid);
  for (let look = 1; look < LOOKS && burning.size > 0; look++) {
    const again = await burningNow(pid);
    burning = new Set([...burning].filter((id) => again.has(id)));
  }
  return burning.size;
}

/** Those that were busy for at least half of the look, however long that took. */
async function burningNow(pid: number): Promise<ReadonlySet<string>> {
  const before = busyMsOf(pid);
  const startedMs = performance.now();
  await delay(LOOK_MS);
  const leastMs = (performance.now() - startedMs) * BURNING_SHARE;
  const burnt = ([id, ms]: [string, number]) => ms - (before.get(id) ?? ms);
  const burning = [...busyMsOf(pid)].filter((row) => burnt(row) >= leastMs);
  return new Set(burning.map(([id]) => id).filter((id) => id !== String(pid)));
}

/** Processes in whose environment `mark` stands. */
export function markedProcesses(mark: string): number[] {
  return list("/proc")
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => text(`/proc/${pid}/environ`).includes(mark))
    .map(Number);
}

export interface Footprint {
  readonly threads: number;
  readonly fds: number;
  readonly rssMb: number;
  readonly children: number;
}

/** What a process takes of the machine. */
export function footprintOf(pid: number): Footprint {
  const status = text(`/proc/${pid}/status`);
  const threads = list(`/proc/${pid}/task`);
  const children = threads.flatMap((id) =>
    text(`/proc/${pid}/task/${id}/children`).split(" ").filter(Boolean),
  );
  return {
    threads: threads.length,
    fds: list(`/proc/${pid}/fd`).length,
    rssMb: Math.round(Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024),
    children: children.length,
  };
}

function list(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}

function text(path: string): string {
  try {
    return readFileSync(path, "latin1");
  } catch {
    return "";
  }
}
