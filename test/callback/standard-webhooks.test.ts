// Deliveries as an independent verifier sees them: the npm package of Standard Webhooks.
import { describe, expect, test } from "bun:test";
import { createHmac } from "node:crypto";
import { Webhook } from "standardwebhooks";
import { deliveryBody, deliveryHeaders } from "../../src/callback/signing.ts";
import { randomCallbackSecret } from "../../src/core/signature.ts";
import type { ClaimedApplication, ClaimedTask } from "../../src/core/task.ts";
import { applicationFor, SECRET, taskFor } from "./cases.ts";

const URL_OF = "http://127.0.0.1:1/";
const box = { open: (sealed: string) => sealed.replace(/^sealed:/, "") };
const [current, former] = [randomCallbackSecret(), randomCallbackSecret()];

interface Sent {
  readonly headers: Record<string, string>;
  readonly body: string;
}

function send(
  application: Partial<ClaimedApplication>,
  changes: Partial<ClaimedTask> = {},
  nowMs = Date.now(),
): Sent {
  const task = taskFor(URL_OF, { ...changes, application: applicationFor(URL_OF, application) });
  const body = deliveryBody(task.content);
  return { headers: deliveryHeaders(task, { secretBox: box, body, nowMs }), body };
}

function accepts(secret: string, { headers, body }: Sent): boolean {
  try {
    new Webhook(secret).verify(body, headers);
    return true;
  } catch {
    return false;
  }
}

describe("Standard Webhooks", () => {
  test("a delivery is verified with its callback secret, and with no other", () => {
    const sent = send({ callbackSecretSealed: current });
    expect(accepts(current, sent)).toBe(true);
    expect(accepts(former, sent)).toBe(false);
    expect(sent.headers["webhook-signature"]).toMatch(/^v1,[A-Za-z0-9+/]{43}=$/);
  });

  test("a changed body, id or time is refused", () => {
    const sent = send({ callbackSecretSealed: current });
    const later = String(Number(sent.headers["webhook-timestamp"]) + 1);
    expect(accepts(current, { ...sent, body: '{"data":8}' })).toBe(false);
    for (const change of [{ "webhook-id": "msg_1_9" }, { "webhook-timestamp": later }]) {
      expect(accepts(current, { ...sent, headers: { ...sent.headers, ...change } })).toBe(false);
    }
  });

  test("an old delivery is refused", () => {
    const sent = send({ callbackSecretSealed: current }, {}, Date.now() - 310_000);
    expect(accepts(current, sent)).toBe(false);
  });

  test("the id is that of the life, whatever the attempt, and has no dots", () => {
    const of = (changes: Partial<ClaimedTask>) =>
      send({ callbackSecretSealed: current }, changes).headers["webhook-id"];
    expect(of({ taskId: 81, life: 1, attempt: 1 })).toBe("msg_81_1");
    expect(of({ taskId: 81, life: 1, attempt: 7 })).toBe("msg_81_1");
    expect(of({ taskId: 81, life: 2, attempt: 1 })).toBe("msg_81_2");
    const tagged = { taskId: 81, webhookTag: "0f".repeat(16) };
    expect(of({ ...tagged, life: 1, attempt: 1 })).toBe(`msg_${tagged.webhookTag}_1`);
    expect(of({ ...tagged, life: 2, attempt: 3 })).toBe(`msg_${tagged.webhookTag}_2`);
  });

  test("the time is that of the attempt, in seconds", () => {
    const sent = send({ callbackSecretSealed: current }, {}, 1_627_371_056_999);
    expect(sent.headers["webhook-timestamp"]).toBe("1627371056");
  });

  test("in the grace of a rotation receivers with either secret take it, with the new one first", () => {
    const previous = { secretSealed: "sealed:the former secret", callbackSecretSealed: former };
    const sent = send({ callbackSecretSealed: current, previous });
    expect(accepts(current, sent)).toBe(true);
    expect(accepts(former, sent)).toBe(true);
    const [first = "", second = ""] = (sent.headers["webhook-signature"] ?? "").split(" ");
    const only = (signature: string) => ({
      ...sent,
      headers: { ...sent.headers, "webhook-signature": signature },
    });
    expect(accepts(current, only(first))).toBe(true);
    expect(accepts(former, only(second))).toBe(true);
  });

  test("an application without a callback secret gets no such headers", () => {
    const { headers } = send({ callbackSecretSealed: null });
    expect(Object.keys(headers).filter((name) => name.startsWith("webhook-"))).toEqual([]);
  });
});

describe("the headers of the original API in the grace of a rotation", () => {
  const previous = { secretSealed: "sealed:the former secret", callbackSecretSealed: null };

  test("signature fits the new secret and signature-previous the old one", () => {
    const { headers } = send({ callbackSecretSealed: current, previous });
    expect(headers["signature"]).toBe(signatureWith(SECRET, headers));
    expect(headers["signature-previous"]).toBe(signatureWith("the former secret", headers));
    expect(headers["webhook-signature"]).not.toContain(" ");
  });

  test("without one there is no signature-previous", () => {
    expect(send({ callbackSecretSealed: current }).headers).not.toHaveProperty(
      "signature-previous",
    );
  });
});

function signatureWith(secret: string, headers: Record<string, string>): string {
  const message = `${headers["timestamps"]}${headers["nonce"]}${headers["payload"]}`;
  const hex = createHmac("sha256", secret).update(message).digest("hex");
  return Buffer.from(hex).toString("base64");
}
