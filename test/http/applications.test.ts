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
