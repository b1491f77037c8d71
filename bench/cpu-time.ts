// How much processor time a program has used, with all it started: what a busy machine cannot change much.
import { readdirSync, readFileSync } from "node:fs";

const TICK_MS = 10;

/** Milliseconds in steps of a clock tick; only Linux can tell. */
export function cpuTimeMs(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  // Its own user and system time, and that of children it has waited for.
  const ticks = fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0);
  return ticks * TICK_MS + childrenOf(pid).reduce((sum, child) => sum + cpuTimeMs(child), 0);
}

function childrenOf(pid: number): number[] {
  return readdirSync(`/proc/${pid}/task`).flatMap((thread) =>
    readFileSync(`/proc/${pid}/task/${thread}/children`, "utf8")
      .split(" ")
      .filter(Boolean)
      .map(Number),
  );
}
