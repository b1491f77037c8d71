// Repeats the cheap cases of the kill matrix and shows what that leaves behind in the executor.
import { CASES } from "./cases.ts";
import { openLane, type RuntimeName } from "./lane.ts";
import type { Footprint } from "./watch-process.ts";

/** One row: threads, fds, memory and children before and after. */
export async function leaksOf(
  runtime: RuntimeName,
  isolation: "thread" | "process",
  repeats: number,
): Promise<string> {
  const lane = openLane(runtime, isolation);
  const cheap = CASES.filter(({ isCheap }) => isCheap);
  for (const killCase of cheap) await lane.runBlindly(killCase);
  const before = lane.footprint();
  for (let i = 0; i < repeats; i++) {
    for (const killCase of cheap) await lane.runBlindly(killCase);
  }
  const after = lane.footprint();
  lane.close();
  return `| ${runtime} | ${isolation} | ${textOf(before)} | ${textOf(after)} |`;
}

function textOf({ threads, fds, rssMb, children }: Footprint): string {
  return `${threads} threads, ${fds} fds, ${rssMb} MB, ${children} children`;
}
