// Repeats the cheap cases of the kill matrix and shows what that leaves behind in the executor.
import { eventually } from "../support/eventually.ts";
import { CASES } from "./cases.ts";
import { openLane } from "./lane.ts";
import type { RuntimeName } from "./row.ts";
import type { Footprint } from "./watch-process.ts";

/** A killed one may still be on its way out, and a spare on its way in: more than this is left behind. */
const SPARE = { threads: 3, fds: 8, children: 1 } as const;
/** A runtime keeps some of what it once used: this is far below what hundreds of job workers would keep. */
const MOST_RSS_MB = 128;
/** Looks are 10 ms and more apart. */
const LOOKS_AT_REST = 100;

/** One row: threads, fds, memory and children before and after. */
export interface Leaks {
  readonly line: string;
  /** What is left behind; empty: nothing. */
  readonly wrong: readonly string[];
}

export async function leaksOf(
  runtime: RuntimeName,
  isolation: "thread" | "process",
  repeats: number,
): Promise<Leaks> {
  const lane = openLane(runtime, isolation);
  const cheap = CASES.filter(({ isCheap }) => isCheap);
  for (const killCase of cheap) await lane.runBlindly(killCase);
  const before = await atRest(lane.footprint);
  for (let i = 0; i < repeats; i++) {
    for (const killCase of cheap) await lane.runBlindly(killCase);
  }
  const after = await atRest(lane.footprint);
  lane.close();
  const wrong = leftBehind(before, after);
  const verdict = wrong.length === 0 ? "nothing" : wrong.join("; ");
  const line = `| ${[runtime, isolation, textOf(before), textOf(after), verdict].join(" | ")} |`;
  return { line, wrong };
}

/** Spares and successors of the last ones are still on their way: waits until their number stands still. */
async function atRest(look: () => Footprint): Promise<Footprint> {
  const counts: number[] = [];
  return eventually(() => {
    const footprint = look();
    counts.push(footprint.children);
    const isAtRest = new Set(counts.slice(-LOOKS_AT_REST)).size === 1;
    return counts.length >= LOOKS_AT_REST && isAtRest ? footprint : undefined;
  });
}

function leftBehind(before: Footprint, after: Footprint): string[] {
  const wrong = (["threads", "fds", "children"] as const).flatMap((what) => {
    const left = after[what] - before[what];
    return left > SPARE[what] ? [`${left} ${what}`] : [];
  });
  const leftMb = after.rssMb - before.rssMb;
  return leftMb > MOST_RSS_MB ? [...wrong, `${leftMb} MB`] : wrong;
}

function textOf({ threads, fds, rssMb, children }: Footprint): string {
  return `${threads} threads, ${fds} fds, ${rssMb} MB, ${children} children`;
}
