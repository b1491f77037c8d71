// Choosing the attempt that an executor over its memory limit ends: the best evidence there is, and how sure it says to be.
import { describe, expect, test } from "bun:test";
import { chooseSuspect, growthBegan } from "../../src/consumer/memory-evidence.ts";

const LIMIT_MB = 500;

interface Told {
  readonly name: string;
  readonly startedAgoMs?: number;
  readonly threadId?: number | null;
  readonly heapMb?: number;
  readonly hasAnswered?: boolean;
}

const suspect = ({ name, startedAgoMs = 60_000, threadId = null, ...told }: Told) => ({
  name,
  startedMs: performance.now() - startedAgoMs,
  threadId,
  hasAnswered: told.hasAnswered ?? false,
  heapBytes: told.heapMb === undefined ? null : told.heapMb * 1_048_576,
});

type Filled = Readonly<Record<number, number>>;

/** Each look as ms ago, resident MB, and what was filled so far by thread. */
const pressure = (
  ...looks: readonly (readonly [agoMs: number, rssMb: number, filled: Filled])[]
) => ({
  limitMb: LIMIT_MB,
  looks: looks.map(([agoMs, rssMb, filled]) => ({
    at: Date.now() - agoMs,
    rssMb,
    filledMb: new Map(Object.entries(filled).map(([id, mb]) => [Number(id), mb])),
  })),
});

const unknown = pressure([3_000, 100, {}], [0, 520, {}]);

describe("the attempt to blame for the executor's memory", () => {
  test("is none when none runs on a thread", () => {
    expect(chooseSuspect([], unknown)).toBeUndefined();
  });

  test("is certain when it is the only one", () => {
    const choice = chooseSuspect([suspect({ name: "only" })], unknown);
    expect(choice?.suspect.name).toBe("only");
    expect(choice?.why).toStartWith("certain:");
  });

  test("is a guess when the only one filled little of it", () => {
    const looks = pressure([3_000, 100, { 1: 10 }], [0, 520, { 1: 30 }]);
    const choice = chooseSuspect([suspect({ name: "only", threadId: 1 })], looks);
    expect(choice?.why).toStartWith(
      "a guess: it was the only attempt on a thread, but filled only 20 MB",
    );
  });

  test("is who filled the memory, however old it is", () => {
    const looks = pressure(
      [3_000, 100, { 1: 50, 2: 60, 3: 10 }],
      [0, 520, { 1: 450, 2: 90, 3: 20 }],
    );
    const running = [
      suspect({ name: "guilty", threadId: 1 }),
      suspect({ name: "beside", threadId: 2, startedAgoMs: 5_000 }),
      suspect({ name: "younger", threadId: 3, startedAgoMs: 1_000 }),
    ];
    for (const order of [running, running.toReversed()]) {
      const choice = chooseSuspect(order, looks);
      expect(choice?.suspect.name).toBe("guilty");
      expect(choice?.why).toBe(
        "likely: its thread filled 400 MB while the memory grew by 420 MB, the next one 30 MB",
      );
    }
  });

  test("is not who fills much and lets it go again, when another holds what grew", () => {
    const looks = pressure([9_000, 100, { 1: 0, 2: 0 }], [0, 520, { 1: 900, 2: 380 }]);
    const running = [
      suspect({ name: "churns", threadId: 1, heapMb: 90 }),
      suspect({ name: "holds", threadId: 2, heapMb: 350, hasAnswered: true }),
    ];
    const choice = chooseSuspect(running, looks);
    expect(choice?.suspect.name).toBe("holds");
    expect(choice?.why).toBe(
      "likely: its heap holds 350 MB of the 420 MB by which the memory grew",
    );
  });

  test("is not who fills a little more and cannot be asked, when another is known to hold nearly as much", () => {
    const looks = pressure(
      [9_000, 210, { 1: 0, 2: 0, 3: 0 }],
      [0, 1_134, { 1: 298, 2: 310, 3: 260 }],
    );
    const running = [
      suspect({ name: "churns", threadId: 1 }),
      suspect({ name: "holds", threadId: 2, heapMb: 277, hasAnswered: true }),
      suspect({ name: "churns too", threadId: 3 }),
    ];
    const choice = chooseSuspect(running, looks);
    expect(choice?.suspect.name).toBe("holds");
    expect(choice?.why).toBe(
      "a guess: its heap holds 277 MB, and what another thread filled, 298 MB, it may have let go again",
    );
  });

  test("is not who held much before and filled nothing since", () => {
    const looks = pressure([9_000, 300, { 1: 290, 2: 0 }], [0, 520, { 1: 292, 2: 215 }]);
    const running = [
      suspect({ name: "large", threadId: 1, heapMb: 280, hasAnswered: true }),
      suspect({ name: "silent", threadId: 2 }),
    ];
    expect(chooseSuspect(running, looks)?.suspect.name).toBe("silent");
  });

  test("does not pay for what its thread filled before it started", () => {
    const looks = pressure(
      [9_000, 100, { 1: 0, 2: 0 }],
      [2_000, 400, { 1: 300, 2: 50 }],
      [0, 520, { 1: 310, 2: 160 }],
    );
    const running = [
      suspect({ name: "new", threadId: 1, startedAgoMs: 1_900 }),
      suspect({ name: "guilty", threadId: 2 }),
    ];
    const choice = chooseSuspect(running, looks);
    expect(choice?.suspect.name).toBe("guilty");
    expect(choice?.why).toStartWith("a guess: its thread filled 160 MB");
  });

  test("is likely the largest heap last known when threads cannot be told apart", () => {
    const running = [
      suspect({ name: "small", heapMb: 20 }),
      suspect({ name: "large", heapMb: 300 }),
      suspect({ name: "unknown", startedAgoMs: 10 }),
    ];
    const choice = chooseSuspect(running, unknown);
    expect(choice?.suspect.name).toBe("large");
    expect(choice?.why).toBe("likely: its last known heap was the largest, 300 MB");
  });

  test("is a guess, the youngest, when nothing is known", () => {
    const running = [suspect({ name: "first" }), suspect({ name: "second", startedAgoMs: 10 })];
    const choice = chooseSuspect(running, unknown);
    expect(choice?.suspect.name).toBe("second");
    expect(choice?.why).toStartWith("a guess: it was the youngest of 2 attempts");
  });
});

test("the growth began when the memory was last at its lowest", () => {
  const { looks } = pressure([4, 300, {}], [3, 120, {}], [2, 110, {}], [1, 260, {}], [0, 520, {}]);
  expect(growthBegan(looks, LIMIT_MB)).toBe(2);
});
