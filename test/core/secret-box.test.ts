// The box that keeps secrets unreadable in the database, opened by Web Crypto as an independent witness.
import { describe, expect, test } from "bun:test";
import { AppError } from "../../src/core/errors.ts";
import { createSecretBox, keyFromText, rememberOpened } from "../../src/core/secret-box.ts";
import { verifySecretKey } from "../../src/use-cases/verify-secret-key.ts";

const key = keyFromText("a secret key of at least thirty-two characters");
const box = createSecretBox(key);

/** The store's promise in one line: the first value stays. */
function createKeeper() {
  const kept = new Map<string, string>();
  return {
    kept,
    putOnce: async (name: string, value: string) => {
      if (!kept.has(name)) kept.set(name, value);
      return kept.get(name) ?? "";
    },
  };
}

function failureOf(act: () => unknown): unknown {
  try {
    act();
  } catch (thrown) {
    return thrown;
  }
  return undefined;
}

describe("a sealed secret", () => {
  test.each(["", "x", "帅的批爆", "x".repeat(10_000)])("opens again (%#)", (text) => {
    expect(box.open(box.seal(text))).toBe(text);
  });

  test("is AES-256-GCM: nonce, tag and text, as Web Crypto reads it", async () => {
    const bytes = Buffer.from(box.seal("帅").slice("v1.".length), "base64url");
    const [iv, tag, body] = [bytes.subarray(0, 12), bytes.subarray(12, 28), bytes.subarray(28)];
    const raw = new Uint8Array(key);
    const cryptoKey = await crypto.subtle.importKey("raw", raw, "AES-GCM", false, ["decrypt"]);
    const cipher = new Uint8Array(Buffer.concat([body, tag]));
    const name = "AES-GCM";
    const opened = await crypto.subtle.decrypt({ name, iv: new Uint8Array(iv) }, cryptoKey, cipher);
    expect(new TextDecoder().decode(opened)).toBe("帅");
  });

  test("is different each time and does not hold the text", () => {
    const sealed = Array.from({ length: 100 }, () => box.seal("secret"));
    expect(new Set(sealed).size).toBe(100);
    expect(sealed.some((text) => Buffer.from(text.slice(3), "base64url").includes("secret"))).toBe(
      false,
    );
  });

  test("does not open when any byte was changed", () => {
    const bytes = Buffer.from(box.seal("secret").slice(3), "base64url");
    for (const at of bytes.keys()) {
      const changed = Buffer.from(bytes);
      changed[at] = (changed[at] ?? 0) ^ 1;
      expect(() => box.open(`v1.${changed.toString("base64url")}`)).toThrow(AppError);
    }
  });

  test.each(["", "v1.", "v2.AAAA", "plain text", `v1.${"A".repeat(36)}`])(
    "%j is none: the failure is one of configuration",
    (text) => {
      expect(failureOf(() => box.open(text))).toMatchObject({ code: "configuration" });
    },
  );

  test("does not open with another key", () => {
    const other = createSecretBox(keyFromText("another secret key of thirty-two characters"));
    expect(failureOf(() => other.open(box.seal("secret")))).toMatchObject({
      code: "configuration",
      message: expect.stringContaining("SECRET_KEY"),
    });
  });
});

describe("the check of the secret key", () => {
  test("passes at the first start and at every later one with the same key", async () => {
    const store = createKeeper();
    await verifySecretKey(store, box);
    await verifySecretKey(store, createSecretBox(key));
    expect([...store.kept.keys()]).toEqual(["secret_check"]);
  });

  test("refuses another key and says the way out", async () => {
    const store = createKeeper();
    await verifySecretKey(store, box);
    const other = createSecretBox(keyFromText("another secret key of thirty-two characters"));
    const refused = await verifySecretKey(store, other).catch((thrown: unknown) => thrown);
    expect(refused).toMatchObject({
      code: "configuration",
      message: expect.stringContaining("start with the former SECRET_KEY"),
    });
  });
});

describe("a box that remembers", () => {
  test("opens each sealed text once, and another text anew, also one of the same secret", () => {
    const opened: string[] = [];
    const remembering = rememberOpened({
      open: (sealed) => {
        opened.push(sealed);
        return box.open(sealed);
      },
    });
    const [first, second] = [box.seal("one"), box.seal("one")];
    expect([first, first, second].map(remembering.open)).toEqual(["one", "one", "one"]);
    expect(opened).toEqual([first, second]);
  });

  test("does not remember what could not be opened", () => {
    const remembering = rememberOpened(
      createSecretBox(keyFromText("another secret key of 32+ letters")),
    );
    const sealed = box.seal("one");
    for (let time = 0; time < 2; time++) expect(() => remembering.open(sealed)).toThrow(AppError);
  });
});
