// Signs as Standard Webhooks says (standardwebhooks.com), so that receivers can use the libraries there are for it.
import { createHmac } from "node:crypto";

export interface WebhookMessage {
  /** The same for all attempts of one message; without dots, which separate what is signed. */
  readonly id: string;
  readonly body: string;
  /** Epoch ms of this attempt. */
  readonly nowMs: number;
}

const PREFIX = "whsec_";

/**
 * `webhook-id`, `webhook-timestamp`, and `webhook-signature` with one signature per secret, the first one's first.
 * @param secrets `whsec_` and the key in base64
 */
export function webhookHeaders(
  secrets: readonly string[],
  { id, body, nowMs }: WebhookMessage,
): Record<string, string> {
  const timestamp = String(Math.floor(nowMs / 1000));
  const signatures = secrets.map((secret) => {
    const key = Buffer.from(secret.slice(PREFIX.length), "base64");
    const mac = createHmac("sha256", key).update(`${id}.${timestamp}.${body}`, "utf8");
    return `v1,${mac.digest("base64")}`;
  });
  return {
    "webhook-id": id,
    "webhook-timestamp": timestamp,
    "webhook-signature": signatures.join(" "),
  };
}
