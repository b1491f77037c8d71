// Shows how the lane judges every kind of answer, also of receivers that mean harm.
import { expect } from "bun:test";
import type { AttemptLane } from "../../src/core/attempt.ts";
import { eventually } from "../support/eventually.ts";
import { afterAll, beforeAll, describe, test } from "../support/long.ts";
import { answerCases, createTestLane, taskFor } from "./cases.ts";
import { type Receiver, startRawReceiver, startSelfSignedReceiver } from "./receivers.ts";

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

async function deliver(path: string, timeoutMs = 20_000) {
  const url = `http://127.0.0.1:${receiver.port}${path}`;
  const attempt = lane.start(taskFor(url, { timeoutMs }));
  return { end: await attempt.ended, receipt: await attempt.gone };
}

describe("answers", () => {
  test.concurrent.each(answerCases)("$path is $outcome $reason", async (each) => {
    const startedMs = performance.now();
    const { end, receipt } = await deliver(each.path, each.timeoutMs);
    expect({ outcome: end.outcome, reason: end.error?.reason }).toEqual({
      outcome: each.outcome,
      reason: each.reason,
    } as { outcome: typeof end.outcome; reason: string | undefined });
    expect(receipt.killed).toBe(true);
    if (each.timeoutMs === undefined) return;
    expect(performance.now() - startedMs).toBeGreaterThanOrEqual(each.timeoutMs - 5);
    expect(end.receipt).toEqual(receipt);
    expect(receipt.method).toBe("http-abort");
  });
});

describe("failures", () => {
  test("they name the host and what happened, never the path or the query", async () => {
    const url = `http://127.0.0.1:${receiver.port}/error/hunter2?token=hunter2`;
    const { error } = await lane.start(taskFor(url)).ended;
    expect(error?.message).toStartWith(`127.0.0.1:${receiver.port}`);
    expect(JSON.stringify(error)).not.toContain("hunter2");
  });

  test.each([
    ["http://127.0.0.1:1/", "connect_failed"],
    ["http://no-such-host.invalid/", "name_not_resolved"],
    ["ftp://127.0.0.1/", "url_invalid"],
    ["no url", "url_invalid"],
    ["http://user:word@127.0.0.1:2000/", "url_invalid"],
    ["http://127.0.0.1:22/", "url_invalid"],
  ])("%s fails with %s and may be retried", async (url, reason) => {
    const { outcome, error } = await lane.start(taskFor(url)).ended;
    expect({ outcome, reason: error?.reason, final: error?.final }).toEqual({
      outcome: "failed",
      reason,
      final: undefined,
    });
  });

  test("a certificate nobody vouches for fails, and the request is never sent", async () => {
    const selfSigned = await startSelfSignedReceiver();
    const { error } = await lane.start(taskFor(`https://localhost:${selfSigned.port}/`)).ended;
    await selfSigned.close();
    expect(error).toMatchObject({ reason: "tls" });
    expect(error?.message).toContain("SELF_SIGNED");
    expect(selfSigned.heard).toEqual([]);
  });

  test("a secret that cannot be opened fails the attempt and is logged", async () => {
    const logged: unknown[] = [];
    const note = (fields: unknown) => logged.push(fields);
    const broken = createTestLane({
      secretBox: {
        open: () => {
          throw new Error("wrong key");
        },
      },
      logger: { debug: note, info: note, warn: note, error: note },
    });
    const { error } = await broken.start(taskFor("http://127.0.0.1:1/")).ended;
    expect(error?.reason).toBe("secret_unreadable");
    expect(logged.length).toBeGreaterThan(0);
  });
});

describe("connections", () => {
  test("deliveries one after another share a connection", async () => {
    const before = receiver.connections();
    for (let n = 0; n < 5; n++) expect((await deliver("/success")).end.outcome).toBe("succeeded");
    expect(receiver.connections() - before).toBeLessThanOrEqual(1);
  });

  test("a kept connection that the receiver closed meanwhile costs no attempt", async () => {
    const fresh = createTestLane();
    const url = `http://127.0.0.1:${receiver.port}/once-per-connection`;
    const before = receiver.heard.length;
    for (let n = 0; n < 3; n++) {
      expect((await fresh.start(taskFor(url)).ended).outcome).toBe("succeeded");
    }
    const sent = receiver.heard.length - before;
    // The second one was sent twice: on the dying connection and on its own.
    expect(sent).toBe(4);
    await fresh.close();
  });

  test("a receiver that always hangs up is asked once on a new connection", async () => {
    const fresh = createTestLane();
    const before = receiver.heard.length;
    await fresh.start(taskFor(`http://127.0.0.1:${receiver.port}/hang-up`)).ended;
    expect(receiver.heard.length - before).toBe(1);
    await fresh.close();
  });

  test("nothing stays open when the lane is closed", async () => {
    await lane.close();
    await eventually(() => (receiver.open() === 0 ? true : undefined));
  });
});
