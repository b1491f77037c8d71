// Makes the headers of a delivery: what it is, and the signatures by which the receiver knows the sender.
import { hash } from "node:crypto";
import program from "../../package.json" with { type: "json" };
import type { SecretBox } from "../core/secret-box.ts";
import { createHeaderSet, sign } from "../core/signature.ts";
import type { ClaimedApplication, ClaimedTask } from "../core/task.ts";
import { webhookId } from "../core/webhook-id.ts";
import { webhookHeaders } from "./standard-webhooks.ts";

const USER_AGENT = `Serendipity-Job/${program.version}`;

export interface SigningOptions {
  readonly secretBox: Pick<SecretBox, "open">;
  /** The raw body, which is sent in UTF-8. */
  readonly body: string;
  /** Epoch ms. */
  readonly nowMs: number;
}

/**
 * Headers of one delivery, signed in two ways: as the original API signs, and as Standard Webhooks does. In the grace
 * of a rotation both are made with the replaced secrets as well. Throws AppError when a secret cannot be opened.
 */
export function deliveryHeaders(
  task: ClaimedTask,
  options: SigningOptions,
): Record<string, string> {
  const { body } = options;
  const { appKey } = task.application;
  return {
    ...seedSignature(task.application, options),
    ...webhookSignature(task, options),
    app_key: appKey,
    // Many servers drop header names with an underscore (nginx does by default).
    "app-key": appKey,
    "content-type": "application/json",
    "content-length": String(Buffer.byteLength(body)),
    // The body is compared byte by byte, so nothing in between may compress it.
    "accept-encoding": "identity",
    "user-agent": USER_AGENT,
    "task-id": String(task.taskId),
    attempt: String(task.attempt),
  };
}

/** `payload` is the lowercase hex SHA-256 of the raw body. */
function seedSignature(
  { appKey, secretSealed, previous }: ClaimedApplication,
  { secretBox, body, nowMs }: SigningOptions,
): Record<string, string> {
  const payload = hash("sha256", body, "hex");
  const secret = secretBox.open(secretSealed);
  const { timestamps, nonce, signature } = createHeaderSet({ appKey, secret, payload, nowMs });
  const parts = { timestamps, nonce, payload };
  const headers = { ...parts, signature };
  if (previous === null) return headers;
  return { ...headers, "signature-previous": sign(secretBox.open(previous.secretSealed), parts) };
}

/** None for an application that is older than callback secrets and was never rotated. */
function webhookSignature(
  task: ClaimedTask,
  { secretBox, body, nowMs }: SigningOptions,
): Record<string, string> {
  const { callbackSecretSealed, previous } = task.application;
  if (callbackSecretSealed === null) return {};
  const sealed = [callbackSecretSealed, previous?.callbackSecretSealed ?? null];
  const secrets = sealed.flatMap((each) => (each === null ? [] : [secretBox.open(each)]));
  return webhookHeaders(secrets, { id: webhookId(task), body, nowMs });
}

/** The raw body of a delivery. The content is JSON text already. */
export function deliveryBody(content: string): string {
  return `{"data":${content}}`;
}
