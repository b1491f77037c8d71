// Proves on Deno that an attempt is seen on the right line of every shape of standing still: `bun run test:deno`.
import { expect, test } from "bun:test";
import { groupsOf, LANE_SHAPES, lookAtShapes } from "../job/live/wrong-shapes.ts";
import { findBinary } from "../support/find-binary.ts";

const LIMIT_MS = 180_000;
const deno = findBinary("deno");
if (deno === undefined) throw new Error("no deno on the PATH: npm install -g deno@2");

test(
  "on Deno shapes in a process are seen on their lines only",
  async () => {
    const { wrong, looked } = await lookAtShapes([deno, "run", "-A"], "process");
    expect(wrong).toEqual([]);
    expect(looked.map(({ shape }) => shape).sort()).toEqual([...LANE_SHAPES].sort());
    expect(groupsOf(looked)).toEqual([
      [3, "item"],
      [1, "other"],
    ]);
  },
  LIMIT_MS,
);
