// Proves that an attempt in a process is seen on the right line of every shape of standing still.
import { expect, test } from "bun:test";
import { groupsOf, LANE_SHAPES, lookAtShapes } from "./wrong-shapes.ts";

const LIMIT_MS = 120_000;

test(
  "shapes in a process are seen on their lines only",
  async () => {
    const { wrong, looked } = await lookAtShapes([process.execPath, "--no-install"], "process");
    expect(wrong).toEqual([]);
    expect(looked.map(({ shape }) => shape).sort()).toEqual([...LANE_SHAPES].sort());
    expect(groupsOf(looked)).toEqual([
      [3, "item"],
      [1, "other"],
    ]);
  },
  LIMIT_MS,
);
