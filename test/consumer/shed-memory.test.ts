// Whom an executor over its memory limit ends: the best evidence there is, and how sure it says to be.
import { describe, expect, test } from "bun:test";
import { chooseSuspect } from "../../src/consumer/shed-memory.ts";

const suspect = (name: string, startedMs: number, heapMb: number | null = null) => ({
  name,
  startedMs,
  heapBytes: heapMb === null ? null : heapMb * 1_048_576,
});

describe("the attempt to blame for the executor's memory", () => {
  test("is none when none runs on a thread", () => {
    expect(chooseSuspect([], 0)).toBeUndefined();
  });

  test("is certain when it is the only one", () => {
    const choice = chooseSuspect([suspect("only", 5)], 0);
    expect(choice?.suspect.name).toBe("only");
    expect(choice?.why).toStartWith("certain:");
  });

  test("is the one with the largest known heap, whoever started last", () => {
    const running = [suspect("small", 9, 20), suspect("large", 1, 300), suspect("unknown", 10)];
    const choice = chooseSuspect(running, 20);
    expect(choice?.suspect.name).toBe("large");
    expect(choice?.why).toBe("likely: its last known heap was the largest, 300 MB");
  });

  test("is else the youngest of those that ran when the growth began", () => {
    const running = [suspect("old", 1), suspect("guilty", 50), suspect("after", 90)];
    const choice = chooseSuspect(running, 60);
    expect(choice?.suspect.name).toBe("guilty");
    expect(choice?.why).toStartWith("a guess:");
  });

  test("is the youngest of all when everybody started later", () => {
    const running = [suspect("first", 70), suspect("second", 90)];
    expect(chooseSuspect(running, 60)?.suspect.name).toBe("second");
  });
});
