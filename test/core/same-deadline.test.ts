// Tests of waits of the same length that share one timer.
import { expect, test } from "bun:test";
import { createSameDeadline } from "../../src/core/same-deadline.ts";

test("waits are over in the order in which they began, and those that ended are not told", async () => {
  const begin = createSameDeadline(30);
  const late: string[] = [];
  const { promise, resolve } = Promise.withResolvers<void>();
  begin(() => late.push("first"));
  const end = begin(() => late.push("ended"));
  begin(() => {
    late.push("last");
    resolve();
  });
  end();
  await promise;
  expect(late).toEqual(["first", "last"]);
});

test("a wait that begins after all others ended is told too", async () => {
  const begin = createSameDeadline(20);
  begin(() => undefined)();
  const { promise, resolve } = Promise.withResolvers<string>();
  begin(() => resolve("late"));
  expect(await promise).toBe("late");
});
