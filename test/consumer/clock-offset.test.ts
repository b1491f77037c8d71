// How times of a machine whose clock is off become the database's.
import { expect, test } from "bun:test";
import { createClockOffset } from "../../src/consumer/clock-offset.ts";

/** A database whose clock is ahead of this one, and that takes its time. */
const ahead = (ms: number, tookMs = 0) => ({
  now: async () => {
    const answer = Date.now() + ms;
    while (Date.now() < answer - ms + tookMs) await new Promise(setImmediate);
    return answer;
  },
});

test("an offset below what the question took counts as none", async () => {
  const offset = createClockOffset(ahead(40, 50));
  await offset.refresh();
  expect(offset.ms).toBe(0);
});

test.each([90_000, -90_000])("an offset of %i ms is measured", async (ms) => {
  const offset = createClockOffset(ahead(ms));
  await offset.refresh();
  expect(Math.round(offset.ms / 30_000) * 30_000).toBe(ms);
});

test("one that cannot be measured stays as it was", async () => {
  const offset = createClockOffset({ now: () => Promise.reject(new Error("away")) });
  expect(await offset.refresh().catch(String)).toContain("away");
  expect(offset.ms).toBe(0);
});
