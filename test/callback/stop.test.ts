// Shows that a delivery can be stopped at any moment, with proof, and leaves nothing open.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { AttemptLane, RunningAttempt, StopReason } from "../../src/core/attempt.ts";
import { eventually } from "../support/eventually.ts";
import { createTestLane, taskFor } from "./cases.ts";
import { type Receiver, startRawReceiver } from "./receivers.ts";

let receiver: Receiver;
let lane: AttemptLane;
beforeAll(async () => {
  receiver = await startRawReceiver();
  lane = createTestLane();
});
afterAll(async () => {
  await lane.close();
  await receiver.close();
});

function start(path: string): RunningAttempt {
  return lane.start(taskFor(`http://127.0.0.1:${receiver.port}${path}`));
}

async function startAndReach(path: string): Promise<RunningAttempt> {
  const before = receiver.heard.length;
  const attempt = start(path);
  await eventually(() => (receiver.heard.length > before ? true : undefined));
  return attempt;
}

const reasons: readonly [StopReason, "cancelled" | "interrupted"][] = [
  ["cancel", "cancelled"],
  ["interrupt", "interrupted"],
];

describe("stopping", () => {
  test.each(reasons)(
    "%s while the receiver is silent: %s, the connection closes",
    async (reason, outcome) => {
      const attempt = await startAndReach("/silent");
      const open = receiver.open();
      attempt.stop(reason);
      const end = await attempt.ended;
      expect(end).toMatchObject({ outcome, receipt: { killed: true, method: "http-abort" } });
      expect(end.error).toBeUndefined();
      expect(await attempt.gone).toEqual(end.receipt as NonNullable<typeof end.receipt>);
      await eventually(() => (receiver.open() < open ? true : undefined));
    },
  );

  test("in the middle of a body", async () => {
    const attempt = await startAndReach("/slow-body");
    attempt.stop("cancel");
    expect((await attempt.ended).outcome).toBe("cancelled");
    expect((await attempt.gone).killed).toBe(true);
  });

  test("before anything was sent", async () => {
    const before = receiver.heard.length;
    const attempt = start("/silent");
    attempt.stop("interrupt");
    expect((await attempt.ended).outcome).toBe("interrupted");
    expect((await attempt.gone).killed).toBe(true);
    expect(receiver.heard.length).toBe(before);
  });

  test("the first reason stands, and stopping again does nothing", async () => {
    const attempt = await startAndReach("/silent");
    attempt.stop("interrupt");
    attempt.stop("cancel");
    expect((await attempt.ended).outcome).toBe("interrupted");
    attempt.stop("cancel");
    expect((await attempt.gone).killed).toBe(true);
  });

  test("after a success it changes nothing, nor the next delivery on the same connection", async () => {
    const first = start("/success");
    expect((await first.ended).outcome).toBe("succeeded");
    const second = await startAndReach("/silent");
    first.stop("cancel");
    expect((await first.gone).method).toBe("none");
    const third = start("/success");
    expect((await third.ended).outcome).toBe("succeeded");
    second.stop("cancel");
    expect((await second.ended).outcome).toBe("cancelled");
  });
});

test("while it waits it can be looked at", async () => {
  const attempt = await startAndReach("/silent");
  const view = await attempt.inspect();
  expect(view).toMatchObject({ state: "waiting", frames: [], vars: null, progress: null });
  expect(view.elapsedMs).toBeGreaterThan(0);
  attempt.stop("cancel");
  await attempt.gone;
});

test("one host gets half of the slots at once, and all let go at once", async () => {
  const before = receiver.heard.length;
  const excess = 10;
  const most = lane.slots / 2;
  const all = Array.from({ length: most + excess }, () => start("/silent"));
  const attempts = all.slice(0, most);
  for (const handedBack of all.slice(most)) {
    expect(await handedBack.ended).toMatchObject({ outcome: "interrupted" });
  }
  await eventually(() => (receiver.heard.length === before + most ? true : undefined));
  for (const attempt of attempts) attempt.stop("interrupt");
  const receipts = await Promise.all(attempts.map(({ gone }) => gone));
  expect(receipts.every(({ killed }) => killed)).toBe(true);
  await lane.close();
  await eventually(() => (receiver.open() === 0 ? true : undefined));
});
