// What creating an application and refreshing its headers answer.

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { linearRetry } from "../../src/core/retry-policy.ts";
import { createHarness, type Harness } from "./http-harness.ts";

const SEED = {
  appName: "帅的批爆1",
  step: 10,
  retryTotal: 0,
  linkUrl: "http://127.0.0.1",
  remark: "呵呵",
};

let harness: Harness;
beforeAll(async () => {
  harness = await createHarness();
});
afterAll(() => harness.close());

describe("POST /application/create", () => {
  test("answers the seed's fields and the secret", async () => {
    const answer = await harness.post("/application/create", SEED);
    expect(answer.status).toBe(200);
    expect(answer.body).toEqual({
      code: 0,
      msg: "Ok!",
      data: {
        nonce: expect.stringMatching(/^[A-Za-z0-9]{16}$/),
        timestamps: expect.stringMatching(/^\d{10}$/),
        signature: expect.stringMatching(/^[A-Za-z0-9+/]{86}==$/),
        appKey: expect.stringMatching(/^[A-Za-z0-9]{16}$/),
        payload: "57bcd60eefcac9701fd2407080a5a7b0",
        secretKey: expect.stringMatching(/^[\w-]{43}$/),
        callbackSecret: expect.stringMatching(/^whsec_[A-Za-z0-9+/]{43}=$/),
        warnings: [expect.stringMatching(/127\.0\.0\.1, .*: callbacks are sent there because/)],
      },
    });
  });

  test("stores what was sent, and the seed's defaults for what was not", async () => {
    const full = await harness.createApplication(SEED);
    expect(await harness.store.applications.find(full.appKey)).toMatchObject({
      name: "帅的批爆1",
      linkUrl: "http://127.0.0.1",
      retry: linearRetry(10, 0),
      remark: "呵呵",
      requireBodySignature: false,
    });
    const bare = await harness.createApplication();
    expect(await harness.store.applications.find(bare.appKey)).toMatchObject({
      retry: linearRetry(5, 5),
      remark: expect.stringMatching(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/),
      requireBodySignature: false,
    });
  });

  test("completes a retry policy from step and retryTotal, and keeps what a delivery needs", async () => {
    const retry = { strategy: "exponential", max: 100, jitter: true };
    const { appKey } = await harness.createApplication({ ...SEED, retry, successMatch: "2xx" });
    expect(await harness.store.applications.find(appKey)).toMatchObject({
      retry: { ...linearRetry(10, 100), strategy: "exponential", jitter: true },
      successMatch: "2xx",
    });
  });

  test("gives the same name another key each time", async () => {
    const [first, second] = [
      await harness.createApplication(SEED),
      await harness.createApplication(SEED),
    ];
    expect(first.appKey).not.toBe(second.appKey);
    expect(first["payload"]).toBe(second["payload"] ?? "");
  });
});

describe("POST /application/create with keys of the original", () => {
  const KEYS = { appKey: "wWt1aSZj2KXMO7fE", secretKey: "MvNHS5TRlfGZcKYCAg4mDI3IADnoiOUw" };
  const fieldsOf = async (keys: object) => {
    const answer = await harness.post("/application/create", { ...SEED, ...keys });
    expect(answer.status).toBe(422);
    return (answer.body.data as { readonly errors: unknown }).errors;
  };

  test("keeps both, so that they sign requests", async () => {
    const created = await harness.createApplication({ ...SEED, ...KEYS });
    expect(created).toMatchObject(KEYS);
    expect((await harness.postSigned(KEYS, "/task/detail", { id: 1 })).status).toBe(200);
  });

  test("refuses a key that is taken, and leaves its application as it is", async () => {
    const taken = { appKey: "takenKey00000000", secretKey: KEYS.secretKey };
    await harness.createApplication({ ...SEED, ...taken });
    const again = { ...SEED, appKey: taken.appKey, secretKey: KEYS.secretKey.toLowerCase() };
    const answer = await harness.post("/application/create", again);
    expect(answer.body).toMatchObject({
      code: 1,
      msg: "an application with the app_key 'takenKey00000000' exists",
    });
    expect((await harness.postSigned(taken, "/task/detail", { id: 1 })).status).toBe(200);
  });

  test("takes the pair only", async () => {
    const missing = "is missing: both keys are imported together";
    const { appKey, secretKey } = KEYS;
    expect(await fieldsOf({ appKey })).toEqual([{ field: "secretKey", message: missing }]);
    expect(await fieldsOf({ secretKey })).toEqual([{ field: "appKey", message: missing }]);
  });

  test.each([
    ["31 characters", KEYS.secretKey.slice(1), /^must be 32 to 256 printable ASCII/],
    ["a space", `${KEYS.secretKey} x`, /^must be 32 to 256 printable ASCII/],
    ["seven different characters", "abcdefg".repeat(5), /^is weak: it has 7 different/],
    ["a word again and again", "correctbattery".repeat(3), /^is weak: it repeats itself/],
    ["digits in order, cut off", "0123456789".repeat(4).slice(0, 32), /^is weak: it repeats/],
    ["its own appKey", `xYz1${"weakKey000000000"}AbCdEf789012`, /^is weak: it contains appKey/],
  ])("refuses a secret with %s", async (_title, secretKey, message) => {
    const keys = { appKey: "weakKey000000000", secretKey };
    expect(await fieldsOf(keys)).toEqual([
      { field: "secretKey", message: expect.stringMatching(message) },
    ]);
    expect(await harness.store.applications.find("weakKey000000000")).toBeUndefined();
  });

  test.each(["short", "with a space 1234", "schlüssel-1234567"])(
    "refuses the key %p",
    async (appKey) => {
      expect(await fieldsOf({ ...KEYS, appKey })).toEqual([
        { field: "appKey", message: expect.stringMatching(/^must be 16 to 64 letters, digits/) },
      ]);
    },
  );
});

describe("POST /application/refresh-signature", () => {
  test("answers new headers that work, without the secret", async () => {
    const created = await harness.createApplication({ appName: "refreshed" });
    const answer = await harness.post("/application/refresh-signature", {
      app_key: created.appKey,
      secret_key: created.secretKey,
    });
    const data = answer.body.data as Record<string, string>;
    expect(Object.keys(data).sort()).toEqual([
      "appKey",
      "nonce",
      "payload",
      "signature",
      "timestamps",
    ]);
    expect(data["payload"]).toBe(createHash("md5").update("refreshed").digest("hex"));
    expect(data["nonce"]).not.toBe(created["nonce"]);
    const { appKey = "", ...headers } = data;
    const signed = { ...headers, app_key: appKey };
    expect((await harness.post("/task/detail", { id: 1 }, signed)).status).toBe(200);
  });

  test("answers a wrong secret and a wrong key with the same 401", async () => {
    const { appKey, secretKey } = await harness.createApplication();
    const wrong = [
      { app_key: appKey, secret_key: `${secretKey}x` },
      { app_key: appKey, secret_key: secretKey.toLowerCase() },
      { app_key: "unknownKey123456", secret_key: secretKey },
    ];
    const answers = await Promise.all(
      wrong.map((body) => harness.post("/application/refresh-signature", body)),
    );
    expect(answers.map(({ status }) => status)).toEqual([401, 401, 401]);
    expect(new Set(answers.map(({ text }) => text)).size).toBe(1);
    expect(answers[0]?.body.data).toEqual([]);
  });
});
