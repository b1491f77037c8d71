// Shows what a receiver gets, and that the documented way to verify it works.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { createHash, createHmac } from "node:crypto";
import type { AttemptLane } from "../../src/core/attempt.ts";
import { createTestLane, NOW_MS, SECRET, taskFor } from "./cases.ts";
import { type Heard, type Receiver, startGoodReceiver } from "./receivers.ts";

let receiver: Receiver;
let lane: AttemptLane;
beforeAll(async () => {
  receiver = await startGoodReceiver();
  lane = createTestLane();
});
afterAll(async () => {
  await lane.close();
  await receiver.close();
});

async function heardOf(
  changes: Parameters<typeof taskFor>[1],
  path = "/hook?a=1&b=%20",
): Promise<Heard> {
  const task = taskFor(`http://127.0.0.1:${receiver.port}${path}#not-sent`, changes);
  const { outcome } = await lane.start(task).ended;
  expect(outcome).toBe("succeeded");
  const heard = receiver.heard.find(({ headers }) => headers["task-id"] === String(task.taskId));
  if (heard === undefined) throw new Error("nothing arrived");
  return heard;
}

test("the content arrives unchanged as data, at the URL as it was given", async () => {
  const content = '{"z":1,"a":[1.0,"呵呵\\u0000"],"big":12345678901234567890}';
  const { body, path } = await heardOf({ content });
  expect(body).toBe(`{"data":${content}}`);
  expect(path).toBe("/hook?a=1&b=%20");
});

test("a body of a megabyte arrives whole, with the length in bytes and signed as it is", async () => {
  const content = JSON.stringify("呵é😀".repeat(100_000));
  const { headers, body } = await heardOf({ content });
  expect(body).toBe(`{"data":${content}}`);
  expect(headers["content-length"]).toBe(String(Buffer.byteLength(body)));
  expect(headers["payload"]).toBe(createHash("sha256").update(body).digest("hex"));
});

test("the headers say what it is and who sent it", async () => {
  const { headers } = await heardOf({ taskId: 4_711, attempt: 3 });
  expect(headers).toMatchObject({
    app_key: "E3F5l1uKFcXUe1gd",
    "app-key": "E3F5l1uKFcXUe1gd",
    timestamps: String(Math.floor(NOW_MS / 1_000)),
    "content-type": "application/json",
    "accept-encoding": "identity",
    "task-id": "4711",
    attempt: "3",
  });
  expect(headers["user-agent"]).toMatch(/^Serendipity-Job\/\d+\.\d+\.\d+$/);
  expect(headers["nonce"]).toMatch(/^[A-Za-z0-9]{8,64}$/);
});

test("payload is the digest of the raw body, and the signature fits the secret", async () => {
  const { headers, body } = await heardOf({});
  expect(headers["payload"]).toBe(createHash("sha256").update(body).digest("hex"));
  const message = `${headers["timestamps"]}${headers["nonce"]}${headers["payload"]}`;
  const hex = createHmac("sha256", SECRET).update(message).digest("hex");
  expect(headers["signature"]).toBe(Buffer.from(hex).toString("base64"));
});

test("no two deliveries have the same nonce", async () => {
  const nonces = await Promise.all(
    Array.from({ length: 20 }, async () => (await heardOf({})).headers["nonce"]),
  );
  expect(new Set(nonces).size).toBe(20);
});
