// Signatures against vectors that were made elsewhere: RFC 4231, the original API's examples, and openssl.
import { describe, expect, test } from "bun:test";
import {
  bodyBoundPayload,
  createHeaderSet,
  equalTexts,
  randomAppKey,
  randomNonce,
  randomSecret,
  readyMadePayload,
  sign,
  verify,
} from "../../src/core/signature.ts";

const utf8 = new TextEncoder();

/** `printf … | openssl dgst -sha256 -hmac …`, its hex in base64. */
const opensslVector = {
  secret: "s3cret-s3cret-s3cret-s3cret-s3cret",
  timestamps: "1627371056",
  nonce: "nm33An1FX22SAjZK",
  payload: "4453483fc0b493e749c62d6078b75382fb6ff234fb80630431ab0df874faaca9",
  signature:
    "ZWFkYjQzNThhM2ZiYjFmMTE1YjI1NTQ0ZjQ0YzU1OGUyOGU0YmE1YjVkOTEzYzZkZmI4MzE5NDQ4NmE2YWJlZQ==",
};

function hexOf(signature: string): string {
  return Buffer.from(signature, "base64").toString("ascii");
}

describe("the payload", () => {
  test.each([
    ["帅的批爆1", "57bcd60eefcac9701fd2407080a5a7b0"],
    ["帅的批爆", "f3c5fa5b2b4045bcb1132ddece49c0f4"],
  ])("of ready-made headers for %s is the one of the original API", (appName, md5) => {
    expect(readyMadePayload(appName)).toBe(md5);
  });

  test("of a POST covers method, target and the bytes of the body", () => {
    const request = {
      method: "post",
      target: "/task/create?x=%20",
      body: utf8.encode('{"taskNo":"帅"}'),
    };
    const sha256 = "cb214ea692aafd2eef43a57d4a57633509a7474728e79d70af8e7e4cf33398f8";
    expect(bodyBoundPayload(request)).toBe(sha256);
  });

  test("of a GET has an empty body behind the line feed", () => {
    const request = { method: "GET", target: "/task/detail?id=1", body: new Uint8Array() };
    expect(bodyBoundPayload(request)).toBe(opensslVector.payload);
  });
});

describe("a signature", () => {
  test("is HMAC-SHA256 as in RFC 4231, test cases 1 and 2", () => {
    const first = { timestamps: "Hi", nonce: " ", payload: "There" };
    expect(hexOf(sign("\u000b".repeat(20), first))).toBe(
      "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
    );
    const second = { timestamps: "what do ya ", nonce: "want for ", payload: "nothing?" };
    expect(hexOf(sign("Jefe", second))).toBe(
      "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
    );
  });

  test("is the base64 of the hex that openssl prints", () => {
    expect(sign(opensslVector.secret, opensslVector)).toBe(opensslVector.signature);
    expect(verify(opensslVector.secret, opensslVector)).toBe(true);
  });

  test.each([
    ["timestamps", "1627371057"],
    ["nonce", "nm33An1FX22SAjZk"],
    ["payload", "f3c5fa5b2b4045bcb1132ddece49c0f4"],
    ["signature", `${opensslVector.signature.slice(0, -3)}A==`],
    ["signature", opensslVector.signature.slice(0, -1)],
    ["signature", `${opensslVector.signature}=`],
    ["signature", ""],
  ] as const)("is refused when %s is %j", (part, value) => {
    expect(verify(opensslVector.secret, { ...opensslVector, [part]: value })).toBe(false);
  });

  test("is refused with another secret", () => {
    expect(verify(`${opensslVector.secret}!`, opensslVector)).toBe(false);
  });
});

describe("a header set", () => {
  const from = { appKey: "E3F5l1uKFcXUe1gd", secret: "secret", payload: "p", nowMs: 1627371056999 };

  test("carries whole epoch seconds and a signature that verifies", () => {
    const headers = createHeaderSet(from);
    expect(headers).toMatchObject({
      appKey: from.appKey,
      payload: "p",
      timestamps: "1627371056",
    });
    expect(verify("secret", headers)).toBe(true);
  });

  test("has a nonce of its own each time", () => {
    const nonces = Array.from({ length: 1000 }, () => createHeaderSet(from).nonce);
    expect(new Set(nonces).size).toBe(1000);
  });
});

describe("what is made at random", () => {
  test.each([
    ["an app key", randomAppKey, /^[A-Za-z0-9]{16}$/],
    ["a nonce", randomNonce, /^[A-Za-z0-9]{16}$/],
    ["a secret", randomSecret, /^[\w-]{43}$/],
  ] as const)("%s has its form and does not repeat", (_name, make, form) => {
    const made = Array.from({ length: 500 }, make);
    for (const text of made) expect(text).toMatch(form);
    expect(new Set(made).size).toBe(500);
  });
});

describe("comparing secrets", () => {
  test.each([
    ["", "", true],
    ["a", "a", true],
    ["帅", "帅", true],
    ["a", "b", false],
    ["a", "aa", false],
    ["é", "e", false],
  ])("%j and %j: %p", (expected, given, isEqual) => {
    expect(equalTexts(expected, given)).toBe(isEqual);
  });
});
