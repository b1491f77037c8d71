// Why a signature was refused: the answer does not tell, the log does, and no caller can fill it.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import {
  createHarness,
  type Harness,
  type Keys,
  signatureFor,
  type ToSign,
} from "./http-harness.ts";

type Signed = Record<string, string>;

let harness: Harness;
let keys: Keys;
beforeAll(async () => {
  harness = await createHarness();
  keys = await harness.createApplication();
});
afterAll(() => harness.close());

describe("the log says which check failed", () => {
  const path = "/task/cancel";
  const body = { id: 999 };
  const secondsAgo = (seconds: number) => String(Math.floor(Date.now() / 1000) - seconds);
  const bound = (more: Partial<ToSign> = {}) =>
    signatureFor(keys, { method: "POST", path, body: JSON.stringify(body), ...more });

  async function noteOf(headers: Signed): Promise<Readonly<Record<string, unknown>> | undefined> {
    // The memory of what was told is the app's: another one says it again.
    const app = harness.another();
    harness.log.lines.length = 0;
    const type = { "content-type": "application/json" };
    const init = { method: "POST", body: JSON.stringify(body), headers: { ...type, ...headers } };
    const response = await app.fetch(new Request(`http://127.0.0.1:9502${path}`, init));
    expect(response.status).toBe(401);
    const [first] = harness.log.lines.filter(
      ({ message }) => message === "a signature was refused",
    );
    expect(first?.level).toBe("info");
    return first?.fields;
  }

  // biome-ignore format: a table is read by its columns
  test.each<[string, () => Signed, Readonly<Record<string, unknown>>]>([
    ["no nonce", () => without(bound(), "nonce"), { check: "missing headers", missing: "nonce" }],
    [
      "an unknown key",
      () => ({ ...bound(), app_key: "noSuchKey" }),
      { check: "unknown key", app_key: "noSuchKey" },
    ],
    [
      "an odd key",
      () => ({ ...bound(), app_key: `é ${"x".repeat(99)}` }),
      { check: "form of app_key", app_key: `??${"x".repeat(62)}` },
    ],
    ["no payload of ours", () => bound({ payload: "abc" }), { check: "form of payload" }],
    ["another body", () => bound({ body: "{}" }), { check: "payload" }],
    ["another name", () => bound({ payload: md5("other") }), { check: "payload" }],
    [
      "another secret",
      () => signatureFor({ ...keys, secretKey: "guessed" }, { method: "POST", path, body: "{}" }),
      { check: "signature" },
    ],
    [
      "a header twice",
      () => ({ ...bound(), nonce: "12345678, 12345678" }),
      { check: "a header twice" },
    ],
    [
      "two spellings",
      () => ({ ...bound(), "app-key": "other" }),
      { check: "app_key in two spellings" },
    ],
  ])("%s", async (_what, headers, note) => {
    expect(await noteOf(headers())).toMatchObject({ app_key: keys.appKey, path, ...note });
  });

  test("no header at all: each is named, and there is no app_key to tell", async () => {
    const missing = "app_key, nonce, timestamps, payload, signature";
    expect(await noteOf({})).toEqual({ check: "missing headers", missing, path });
  });

  test("how far a clock is off", async () => {
    const late = await noteOf(bound({ timestamps: secondsAgo(7200) }));
    expect(late).toMatchObject({ check: "timestamps", app_key: keys.appKey });
    expect(Number(late?.["skew_s"])).toBeWithin(7199, 7203);
    const early = await noteOf(bound({ timestamps: secondsAgo(-7200) }));
    expect(Number(early?.["skew_s"])).toBeWithin(-7202, -7197);
  });

  test("a nonce that was used", async () => {
    const signed = bound();
    expect((await harness.post(path, body, signed)).status).toBe(200);
    expect(await noteOf(signed)).toMatchObject({ check: "nonce used", app_key: keys.appKey });
  });

  test("once per application and check, and a few times for keys without end", async () => {
    harness.log.lines.length = 0;
    const app = harness.another();
    const ask = (appKey: string) => {
      const headers = { ...bound(), app_key: appKey };
      const init = { method: "POST", body: "{}", headers };
      return app.fetch(new Request(`http://127.0.0.1:9502${path}`, init));
    };
    for (let at = 0; at < 60; at += 1) await ask(keys.appKey);
    for (let at = 0; at < 60; at += 1) await ask(`made-up-${at}`);
    const notes = harness.log.lines.filter(({ message }) => message === "a signature was refused");
    const of = (check: string) => notes.filter(({ fields }) => fields["check"] === check).length;
    expect([of("payload"), of("unknown key")]).toEqual([1, 20]);
  });
});

function without(headers: Signed, name: string): Signed {
  return Object.fromEntries(Object.entries(headers).filter(([each]) => each !== name));
}

function md5(text: string): string {
  return createHash("md5").update(text).digest("hex");
}
