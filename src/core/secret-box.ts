// Seals secrets for the database (AES-256-GCM).
import { createCipheriv, createDecipheriv, createHash, randomBytes } from "node:crypto";
import { AppError } from "./errors.ts";
import { remember } from "./remember.ts";

/** Keeps secrets unreadable at rest. */
export interface SecretBox {
  seal(text: string): string;
  /** Throws AppError `configuration` when the text was sealed with another key or is damaged. */
  open(sealed: string): string;
}

const CIPHER = "aes-256-gcm";
const VERSION = "v1.";
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

const WRONG_KEY =
  "the secret key is not the one the secrets in this database were sealed with; " +
  "start with the former SECRET_KEY (embedded: with its key file in DATA_DIR) or with an empty database";

/**
 * A box with one key.
 * @param key exactly 32 bytes
 */
export function createSecretBox(key: Uint8Array): SecretBox {
  return {
    seal(text) {
      const nonce = randomBytes(NONCE_BYTES);
      const cipher = createCipheriv(CIPHER, key, nonce, { authTagLength: TAG_BYTES });
      const body = Buffer.concat([cipher.update(text, "utf8"), cipher.final()]);
      return VERSION + Buffer.concat([nonce, cipher.getAuthTag(), body]).toString("base64url");
    },
    open(sealed) {
      try {
        return openWith(key, sealed);
      } catch (cause) {
        throw wrongKey(cause);
      }
    },
  };
}

const MOST_REMEMBERED = 1_000;

/** Opens each sealed text once: one application's secrets are needed for every delivery. Another text is another secret. */
export function rememberOpened(box: Pick<SecretBox, "open">): Pick<SecretBox, "open"> {
  return { open: remember((sealed) => box.open(sealed), MOST_REMEMBERED) };
}

function openWith(key: Uint8Array, sealed: string): string {
  if (!sealed.startsWith(VERSION)) throw new Error("not a sealed text of version 1");
  const bytes = Buffer.from(sealed.slice(VERSION.length), "base64url");
  const nonce = bytes.subarray(0, NONCE_BYTES);
  const decipher = createDecipheriv(CIPHER, key, nonce, { authTagLength: TAG_BYTES });
  decipher.setAuthTag(bytes.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES));
  const body = bytes.subarray(NONCE_BYTES + TAG_BYTES);
  return decipher.update(body, undefined, "utf8") + decipher.final("utf8");
}

/** The 32-byte key that a SECRET_KEY of any length stands for. */
export function keyFromText(text: string): Uint8Array {
  return createHash("sha256").update(text, "utf8").digest();
}

/** The error of a box whose key does not fit what it was given. */
export function wrongKey(cause: unknown): AppError {
  return new AppError("configuration", WRONG_KEY, { cause });
}
