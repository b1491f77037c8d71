// Makes the headers of a delivery: what it is, and the signature by which the receiver knows the sender.
import { createHash } from "node:crypto";
import program from "../../package.json" with { type: "json" };
import { createHeaderSet } from "../core/signature.ts";
import type { ClaimedTask } from "../core/task.ts";

const USER_AGENT = `Serendipity-Job/${program.version}`;

/** Headers of one delivery; `payload` is the lowercase hex SHA-256 of the raw body. */
export function deliveryHeaders(
  task: ClaimedTask,
  signed: { readonly secret: string; readonly body: Uint8Array; readonly nowMs: number },
): Record<string, string> {
  const payload = createHash("sha256").update(signed.body).digest("hex");
  const { appKey } = task.application;
  const set = createHeaderSet({ appKey, secret: signed.secret, payload, nowMs: signed.nowMs });
  return {
    app_key: appKey,
    // Many servers drop header names with an underscore (nginx does by default).
    "app-key": appKey,
    nonce: set.nonce,
    timestamps: set.timestamps,
    payload,
    signature: set.signature,
    "content-type": "application/json",
    "content-length": String(signed.body.byteLength),
    // The body is compared byte by byte, so nothing in between may compress it.
    "accept-encoding": "identity",
    "user-agent": USER_AGENT,
    "task-id": String(task.taskId),
    attempt: String(task.attempt),
  };
}

/** The raw body of a delivery. The content is JSON text already. */
export function deliveryBody(content: string): Buffer {
  return Buffer.from(`{"data":${content}}`, "utf8");
}
