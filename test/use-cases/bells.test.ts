// Which doorbells ring after a commit, and that losing one hurts nobody.
import { describe, expect, test } from "bun:test";
import type { Doorbell } from "../../src/queue/queue.ts";
import { createBells } from "../../src/use-cases/bells.ts";
import { createRecordedLog } from "../support/recorded-log.ts";

function setUp(ring?: (bell: Doorbell) => Promise<void>) {
  const rung: Doorbell[] = [];
  const logger = createRecordedLog();
  const { lines } = logger;
  const queue = {
    ring: async (bell: Doorbell) => {
      rung.push(bell);
      await ring?.(bell);
    },
  };
  return { rung, lines, bells: createBells({ queue, logger }) };
}

describe("doorbells after a commit", () => {
  test("ring once per lane, for the earliest work", () => {
    const { rung, bells } = setUp();
    bells.ring([
      { lane: "job", dueInMs: 900, taskId: 1 },
      { lane: "callback", dueInMs: 0, taskId: 2 },
      { lane: "job", dueInMs: 40, taskId: 3 },
      { lane: "job", dueInMs: 1200, taskId: 4 },
    ]);
    expect(rung).toEqual([
      { lane: "job", dueInMs: 40, taskId: 3 },
      { lane: "callback", dueInMs: 0, taskId: 2 },
    ]);
  });

  test("stay silent for work that consumers find by themselves in time", () => {
    const { rung, bells } = setUp();
    bells.ring([{ lane: "job", dueInMs: 1501, taskId: 1 }]);
    bells.ring([{ lane: "callback", dueInMs: 1500, taskId: 2 }]);
    bells.ring([]);
    expect(rung).toEqual([{ lane: "callback", dueInMs: 1500, taskId: 2 }]);
  });

  test("that are lost are only logged, without what the task holds", async () => {
    const { lines, bells } = setUp(() => Promise.reject(new Error("nsqd is away")));
    bells.ring([{ lane: "job", dueInMs: 0, taskId: 7 }]);
    await bells.settled();
    expect(lines).toEqual([
      {
        level: "warn",
        fields: { lane: "job", task_id: 7, error: "nsqd is away" },
        message: expect.stringContaining("doorbell"),
      },
    ]);
  });

  test("are waited for until they are sent", async () => {
    const sent = Promise.withResolvers<void>();
    const { bells } = setUp(() => sent.promise);
    bells.ring([{ lane: "job", dueInMs: 0, taskId: 7 }]);
    let isSettled = false;
    const settled = bells.settled().then(() => {
      isSettled = true;
    });
    await Promise.resolve();
    expect(isSettled).toBe(false);
    sent.resolve();
    await settled;
    await bells.settled();
  });
});
