// What a program and the processes below it hold: memory, files, threads.
import { readdirSync, readFileSync } from "node:fs";

export interface Usage {
  readonly rssMb: number;
  readonly files: number;
  readonly threads: number;
}

const PAGE_BYTES = 4_096;

/** Of a process with all its children, as /proc shows them. */
export function usageOf(pid: number): Usage {
  const all = [pid, ...descendantsOf(pid)].map(ownUsage);
  return {
    rssMb: Math.round(sum(all.map(({ rssMb }) => rssMb))),
    files: sum(all.map(({ files }) => files)),
    threads: sum(all.map(({ threads }) => threads)),
  };
}

function ownUsage(pid: number): Usage {
  const [, resident = "0"] = readFileSync(`/proc/${pid}/statm`, "utf8").split(" ");
  return {
    rssMb: (Number(resident) * PAGE_BYTES) / 2 ** 20,
    files: readdirSync(`/proc/${pid}/fd`).length,
    threads: readdirSync(`/proc/${pid}/task`).length,
  };
}

function descendantsOf(pid: number): number[] {
  const children = readdirSync(`/proc/${pid}/task`).flatMap((thread) =>
    readFileSync(`/proc/${pid}/task/${thread}/children`, "utf8")
      .split(" ")
      .filter(Boolean)
      .map(Number),
  );
  return children.flatMap((child) => [child, ...descendantsOf(child)]);
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
