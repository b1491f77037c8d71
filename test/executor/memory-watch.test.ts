// When an executor counts as over its memory limit, and when somebody else has to go.
import { expect, test } from "bun:test";
import { createMemoryJudge } from "../../src/executor/memory-watch.ts";

const filledMb = new Map<number, number>();

/** For each look, ms and resident MB, how many looks it was told with; null: nobody has to go. */
function judged(...looks: readonly (readonly [at: number, rssMb: number])[]): (number | null)[] {
  const judge = createMemoryJudge(500);
  return looks.map(([at, rssMb]) => judge({ at, rssMb, filledMb })?.length ?? null);
}

test("nobody has to go below the limit or at it", () => {
  expect(judged([0, 100], [100, 499], [200, 500])).toEqual([null, null, null]);
});

test("whoever is blamed is blamed by all looks since the last end", () => {
  expect(judged([0, 100], [100, 501], [200, 90], [2_300, 700])).toEqual([null, 2, null, 3]);
});

test("an end has its time to free the memory", () => {
  expect(judged([0, 501], [100, 800], [1_900, 900], [2_000, 900])).toEqual([1, null, null, 4]);
});

test("memory that is not given back costs nobody else an attempt until it grows again", () => {
  expect(judged([0, 600], [2_100, 590], [9_000, 610], [9_100, 615])).toEqual([1, null, null, 4]);
});
