// Looks at a process from outside: which of its threads burn, and what else lives that carries its mark.
import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";

/** A clock tick is 10 ms. */
const BURNING_TICKS = 10;
const LOOK_MS = 200;
/** Starting a job worker takes less. */
const LOOKS = 5;

/** CPU ticks of each thread of a process, by thread id. */
function ticksOf(pid: number): Map<string, number> {
  const ticks = new Map<string, number>();
  for (const id of list(`/proc/${pid}/task`)) {
    const stat = text(`/proc/${pid}/task/${id}/stat`);
    const [, , , , , , , , , , , user, system] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    ticks.set(id, Number(user) + Number(system));
  }
  return ticks;
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

/** Those that used at least half of 200 ms of processor time. */
async function burningNow(pid: number): Promise<ReadonlySet<string>> {
  const before = ticksOf(pid);
  const burnt = ([id, ticks]: [string, number]) => ticks - (before.get(id) ?? ticks);
  await delay(LOOK_MS);
  const burning = [...ticksOf(pid)].filter((row) => burnt(row) >= BURNING_TICKS);
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
