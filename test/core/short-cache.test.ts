// The memory of a moment, and the database's clock that is carried on by ours.
import { describe, expect, test } from "bun:test";
import { createShortCache } from "../../src/core/short-cache.ts";
import { createDatabaseClock } from "../../src/use-cases/database-clock.ts";
import { rejectionOf } from "../support/rejection.ts";

function createClock(nowMs = 0) {
  const clock = { nowMs, clockMs: () => clock.nowMs };
  return clock;
}

function createSource(values: Record<string, string>) {
  const asked: string[] = [];
  const load = async (key: string) => {
    asked.push(key);
    return values[key];
  };
  return { asked, values, load };
}

describe("a short cache", () => {
  test("asks once per key within the time to live", async () => {
    const { asked, load } = createSource({ a: "1", b: "2" });
    const clock = createClock();
    const find = createShortCache({ load, ttlMs: 1000, clockMs: clock.clockMs });
    expect(await Promise.all([find("a"), find("a"), find("b")])).toEqual(["1", "1", "2"]);
    clock.nowMs = 999;
    expect(await find("a")).toBe("1");
    expect(asked).toEqual(["a", "b"]);
  });

  test("sees a change when the time is over", async () => {
    const { values, load } = createSource({ a: "1" });
    const clock = createClock();
    const find = createShortCache({ load, ttlMs: 1000, clockMs: clock.clockMs });
    await find("a");
    values["a"] = "2";
    clock.nowMs = 1000;
    expect(await find("a")).toBe("2");
  });

  test("counts the time from before the load", async () => {
    const clock = createClock();
    let answers = 0;
    const load = async () => {
      clock.nowMs += 600;
      answers += 1;
      return answers;
    };
    const find = createShortCache({ load, ttlMs: 1000, clockMs: clock.clockMs });
    await find("a");
    clock.nowMs = 999;
    expect(await find("a")).toBe(1);
    clock.nowMs = 1000;
    expect(await find("a")).toBe(2);
  });

  test("forgets a key at once, also one that is being loaded", async () => {
    const { values, load } = createSource({ a: "1" });
    const find = createShortCache({ load });
    const early = find("a");
    find.forget("a");
    values["a"] = "2";
    expect(await find("a")).toBe("2");
    expect(await early).toBe("1");
    expect(await find("a")).toBe("2");
  });

  test("does not remember what was not found", async () => {
    const { values, load } = createSource({});
    const find = createShortCache({ load });
    expect(await find("a")).toBeUndefined();
    values["a"] = "1";
    expect(await find("a")).toBe("1");
  });

  test("does not remember a failure", async () => {
    let isUp = false;
    const load = async () => {
      if (!isUp) throw new Error("down");
      return "1";
    };
    const find = createShortCache({ load });
    expect(await rejectionOf(find("a"))).toMatchObject({ message: "down" });
    isUp = true;
    expect(await find("a")).toBe("1");
  });

  test("forgets the oldest of more than 10,000 keys", async () => {
    const asked: string[] = [];
    const load = async (key: string) => {
      asked.push(key);
      return key;
    };
    const find = createShortCache({ load, clockMs: () => 0 });
    for (let key = 0; key <= 10_000; key += 1) await find(`k${key}`);
    asked.length = 0;
    await find("k10000");
    await find("k0");
    expect(asked).toEqual(["k0"]);
  });
});

describe("the database's clock", () => {
  test("is carried on by ours and read again after ten seconds", async () => {
    const clock = createClock(5_000);
    const readings = [1_000_000, 2_000_000];
    const store = { now: async () => readings.shift() ?? 0 };
    const databaseNow = createDatabaseClock(store, { clockMs: clock.clockMs });
    expect(await databaseNow()).toBe(1_000_000);
    clock.nowMs += 10_000;
    expect(await databaseNow()).toBe(1_010_000);
    clock.nowMs += 1;
    expect(await databaseNow()).toBe(2_000_000);
  });

  test("is never ahead: the way of the answer is not added", async () => {
    const clock = createClock();
    const store = {
      now: async () => {
        clock.nowMs += 300;
        return 1_000_000;
      },
    };
    const databaseNow = createDatabaseClock(store, { clockMs: clock.clockMs });
    expect(await databaseNow()).toBe(1_000_000);
  });
});
