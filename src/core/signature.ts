// Makes and checks request signatures: pure functions over the formula of the original API.
import { createHash, createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import type { HeaderSet } from "./views/application.ts";

/** What is signed besides the secret. */
export interface SignedParts {
  readonly timestamps: string;
  readonly nonce: string;
  readonly payload: string;
}

/** What the payload of a body-bound request is made of. */
export interface BoundRequest {
  readonly method: string;
  /** pathname + search, as WHATWG URL prints them. */
  readonly target: string;
  /** The raw bytes; empty for a GET. */
  readonly body: Uint8Array;
}

const ALPHANUMERICS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/** The payload of ready-made headers: 32 lowercase hex digits. */
export function readyMadePayload(appName: string): string {
  return createHash("md5").update(appName, "utf8").digest("hex");
}

/** The payload that binds one request: 64 lowercase hex digits over `METHOD SP target LF body`. */
export function bodyBoundPayload(request: BoundRequest): string {
  return createHash("sha256")
    .update(`${request.method.toUpperCase()} ${request.target}\n`, "utf8")
    .update(request.body)
    .digest("hex");
}

/**
 * `base64(lowercase hex of HMAC-SHA256(secret, timestamps + nonce + payload))`.
 * The parts are joined without separators, so every checker must fix the lengths of `timestamps` and `payload`.
 */
export function sign(secret: string, parts: SignedParts): string {
  const message = parts.timestamps + parts.nonce + parts.payload;
  const hex = createHmac("sha256", secret).update(message, "utf8").digest("hex");
  return Buffer.from(hex, "ascii").toString("base64");
}

/** Whether the signature is the one `sign` makes; takes the same time whichever character differs. */
export function verify(secret: string, parts: SignedParts & { signature: string }): boolean {
  return equalTexts(sign(secret, parts), parts.signature);
}

/** Compares two secrets in constant time; their lengths may show. */
export function equalTexts(expected: string, given: string): boolean {
  const left = Buffer.from(expected, "utf8");
  const right = Buffer.from(given, "utf8");
  if (left.length === right.length) return timingSafeEqual(left, right);
  timingSafeEqual(left, left);
  return false;
}

/** A fresh signed header set for a payload. */
export function createHeaderSet(from: {
  readonly appKey: string;
  readonly secret: string;
  readonly payload: string;
  readonly nowMs: number;
}): HeaderSet {
  const timestamps = String(Math.floor(from.nowMs / 1000));
  const nonce = randomNonce();
  const { appKey, payload } = from;
  const signature = sign(from.secret, { timestamps, nonce, payload });
  return { nonce, timestamps, signature, appKey, payload };
}

export function randomNonce(): string {
  return randomAlphanumerics(16);
}

export function randomAppKey(): string {
  return randomAlphanumerics(16);
}

/** 256 bits as 43 URL-safe characters. */
export function randomSecret(): string {
  return randomBytes(32).toString("base64url");
}

/** 256 bits in base64, as Standard Webhooks writes keys. */
export function randomCallbackSecret(): string {
  return `whsec_${randomBytes(32).toString("base64")}`;
}

/** A byte from here on is thrown away: taking it would make the first characters likelier than the rest. */
const FAIR_BELOW = 256 - (256 % ALPHANUMERICS.length);

function randomAlphanumerics(length: number): string {
  let text = "";
  while (text.length < length) {
    // As a text, which is read faster than bytes are.
    const bytes = randomBytes(2 * length).toString("latin1");
    for (let at = 0; at < bytes.length && text.length < length; at++) {
      const byte = bytes.charCodeAt(at);
      if (byte < FAIR_BELOW) text += ALPHANUMERICS.charAt(byte % ALPHANUMERICS.length);
    }
  }
  return text;
}
