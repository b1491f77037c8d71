// Has shapes run and looked at in a job lane of either runtime, and expects that each is seen only where it stands still.
import { expect } from "bun:test";
import { spawn } from "node:child_process";
import { text } from "node:stream/consumers";
import type { Looked } from "./sample-in-lane.ts";
import { SPINNING, WAITING, WAITING_IN_CTX } from "./shapes.ts";

const SAMPLER = new URL("./sample-in-lane.ts", import.meta.url).pathname;
const SHAPES = { ...SPINNING, ...WAITING, ...WAITING_IN_CTX };
/** Its caller awaits it: that is where it waits then. */
const AWAITED_ELSEWHERE = "a promise that is returned";

const LANE_SHAPES = Object.keys(SHAPES).filter((name) => name !== AWAITED_ELSEWHERE);

/** All shapes must be there: what is missing is wrong, too. */
export async function expectRightShapes(
  ...[command, isolation]: Parameters<typeof lookAtShapes>
): Promise<void> {
  const { wrong, looked } = await lookAtShapes(command, isolation);
  expect(wrong).toEqual([]);
  expect(looked.map(({ shape }) => shape).sort()).toEqual([...LANE_SHAPES].sort());
  expect(groupsOf(looked)).toEqual([
    [3, "item"],
    [1, "other"],
  ]);
}

async function lookAtShapes(
  command: readonly [path: string, ...args: string[]],
  isolation: "warm" | "process",
) {
  const [path, ...args] = command;
  const options = [...args, SAMPLER, isolation, ...LANE_SHAPES];
  const sampler = spawn(path, options, { stdio: ["ignore", "pipe", "inherit"] });
  const lines = (await text(sampler.stdout)).trim().split("\n");
  const looked = lines.map((line) => JSON.parse(line) as Looked);
  const wrong = looked.flatMap(({ shape, marks, seen }) => {
    const rights = marks.map((mark) => `${SHAPES[shape]?.state} ${mark}`);
    const places = seen.filter((place) => !rights.includes(place));
    return places.length > 0 ? [{ shape, places, rights }] : [];
  });
  return { wrong, looked };
}

/** How many wait at each place of the shape `Promise.all`. */
function groupsOf(looked: readonly Looked[]): (readonly [number, string | undefined])[] {
  const { last } = looked.find(({ shape }) => shape === "Promise.all") ?? {};
  return (last?.waiting ?? []).map(({ count, frames }) => [count, frames[0]?.function]);
}
