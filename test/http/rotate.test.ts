// Rotating secrets over HTTP: allowed callers, what is good afterwards, and how failures are told.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { eventually } from "../support/eventually.ts";
import {
  type Answer,
  createHarness,
  type Harness,
  type Keys,
  signatureFor,
} from "./http-harness.ts";

interface Rotated {
  readonly secretKey: string;
  readonly callbackSecret: string;
  readonly previousValidUntil: number;
}

let harness: Harness;
beforeAll(async () => {
  harness = await createHarness();
});
afterAll(() => harness.close());

const pathOf = (appKey: string) => `/api/v1/applications/${appKey}/rotate`;

function rotate(appKey: string, graceSeconds = 3600): Promise<Answer> {
  return harness.post(pathOf(appKey), { graceSeconds });
}

function rotateSigned(keys: Keys, graceSeconds = 3600, more = {}): Promise<Answer> {
  const path = pathOf(keys.appKey);
  const body = JSON.stringify({ graceSeconds });
  return harness.post(path, body, signatureFor(keys, { method: "POST", path, body, ...more }));
}

function secretsIn(answer: Answer): Rotated {
  expect({ status: answer.status, text: answer.text }).toMatchObject({ status: 200 });
  return JSON.parse(answer.text) as Rotated;
}

/** What a signed read answers with these keys. */
async function statusWith(keys: Keys): Promise<number> {
  return (await harness.postSigned(keys, "/task/detail", { id: 999 })).status;
}

function expectProblem(answer: Answer, status: number, code: string): Record<string, unknown> {
  expect(answer.status).toBe(status);
  expect(answer.headers.get("content-type")).toBe("application/problem+json");
  const problem = JSON.parse(answer.text) as Record<string, unknown>;
  expect(problem).toMatchObject({ type: "about:blank", status, code });
  expect(problem["title"]).toBeString();
  expect(problem["detail"]).toBeString();
  return problem;
}

describe("a rotation by the operator", () => {
  test("answers new secrets without the envelope", async () => {
    const { appKey, secretKey, callbackSecret } = await harness.createApplication();
    const before = await harness.store.now();
    const answer = await rotate(appKey);
    expect(answer.headers.get("cache-control")).toBe("no-store");
    const rotated = secretsIn(answer);
    expect(rotated).toEqual({
      secretKey: expect.stringMatching(/^[\w-]{43}$/),
      callbackSecret: expect.stringMatching(/^whsec_[A-Za-z0-9+/]{43}=$/),
      previousValidUntil: expect.any(Number),
    });
    expect(rotated.secretKey).not.toBe(secretKey);
    expect(rotated.callbackSecret).not.toBe(callbackSecret ?? "");
    expect(rotated.previousValidUntil).toBeGreaterThanOrEqual(before + 3_600_000);
  });

  test("keeps both secrets good during the grace, at once in this process", async () => {
    const old = await harness.createApplication();
    expect(await statusWith(old)).toBe(200);
    const { secretKey } = secretsIn(await rotate(old.appKey));
    expect(await statusWith({ appKey: old.appKey, secretKey })).toBe(200);
    expect(await statusWith(old)).toBe(200);
  });

  test("without a grace revokes the old secret and its ready-made headers at once", async () => {
    const { appKey, secretKey, ...rest } = await harness.createApplication();
    const { nonce = "", timestamps = "", payload = "", signature = "" } = rest;
    const readyMade = { app_key: appKey, nonce, timestamps, payload, signature };
    const detail = () => harness.post("/task/detail", { id: 999 }, readyMade);
    expect((await detail()).status).toBe(200);
    const rotated = secretsIn(await rotate(appKey, 0));
    expect(rotated.previousValidUntil).toBeLessThanOrEqual(await harness.store.now());
    expect((await detail()).status).toBe(401);
    expect(await statusWith({ appKey, secretKey })).toBe(401);
    expect(await statusWith({ appKey, secretKey: rotated.secretKey })).toBe(200);
  });

  test("is seen by another process before long", async () => {
    const old = await harness.createApplication();
    const other = harness.another();
    const ask = (keys: Keys) => {
      const path = "/task/detail";
      const body = JSON.stringify({ id: 999 });
      const headers = signatureFor(keys, { method: "POST", path, body });
      return other.fetch(
        new Request(`http://127.0.0.1:9502${path}`, { method: "POST", body, headers }),
      );
    };
    expect((await ask(old)).status).toBe(200);
    const { secretKey } = secretsIn(await rotate(old.appKey, 0));
    await eventually(async () => ((await ask(old)).status === 401 ? true : undefined));
    expect((await ask({ appKey: old.appKey, secretKey })).status).toBe(200);
  });

  test("lets either secret refresh ready-made headers during the grace", async () => {
    const { appKey, secretKey } = await harness.createApplication();
    const rotated = secretsIn(await rotate(appKey));
    for (const secret of [secretKey, rotated.secretKey]) {
      const body = { app_key: appKey, secret_key: secret };
      const { data } = (await harness.post("/application/refresh-signature", body)).body;
      const { appKey: key = "", ...headers } = data as Record<string, string>;
      const answer = await harness.post("/task/detail", { id: 1 }, { ...headers, app_key: key });
      expect(answer.status).toBe(200);
    }
  });

  test("a second one within the grace drops the oldest secret", async () => {
    const first = await harness.createApplication();
    const { appKey } = first;
    const second = secretsIn(await rotate(appKey));
    const third = secretsIn(await rotate(appKey));
    expect(await statusWith(first)).toBe(401);
    expect(await statusWith({ appKey, secretKey: second.secretKey })).toBe(200);
    expect(await statusWith({ appKey, secretKey: third.secretKey })).toBe(200);
  });

  test("of an application that does not exist is a problem", async () => {
    expectProblem(await rotate("unknownKey123456"), 404, "not_found");
  });

  test("needs the token where there is one", async () => {
    const guarded = await createHarness({ adminToken: "t".repeat(32) });
    const path = pathOf("unknownKey123456");
    const answers = [
      await guarded.post(path, { graceSeconds: 0 }),
      await guarded.post(path, { graceSeconds: 0 }, { authorization: "Bearer wrong" }),
      await guarded.post(path, { graceSeconds: 0 }, { authorization: `Bearer ${"t".repeat(32)}` }),
    ];
    await guarded.close();
    const [none, wrong, right] = answers as [Answer, Answer, Answer];
    expectProblem(none, 401, "unauthorised");
    expectProblem(wrong, 401, "unauthorised");
    expect(none.headers.get("www-authenticate")).toStartWith("Bearer ");
    expectProblem(right, 404, "not_found");
  });
});

describe("a rotation by the application", () => {
  test("is taken body-bound, and once", async () => {
    const keys = await harness.createApplication();
    const nonce = "nonce-for-rotation";
    const { secretKey } = secretsIn(await rotateSigned(keys, 3600, { nonce }));
    expectProblem(await rotateSigned(keys, 3600, { nonce }), 401, "unauthorised");
    const renewed = { appKey: keys.appKey, secretKey };
    expectProblem(await rotateSigned(renewed, 3600, { nonce }), 401, "unauthorised");
    expect(await statusWith(renewed)).toBe(200);
  });

  test("is refused with ready-made headers", async () => {
    const {
      appKey,
      secretKey: _,
      callbackSecret: __,
      ...headers
    } = await harness.createApplication();
    const readyMade = { ...headers, app_key: appKey };
    const answer = await harness.post(pathOf(appKey), { graceSeconds: 0 }, readyMade);
    expectProblem(answer, 401, "unauthorised");
  });

  test("is refused for another application, with the same words as for an unknown one", async () => {
    const [mine, theirs] = [await harness.createApplication(), await harness.createApplication()];
    const texts: string[] = [];
    for (const appKey of [theirs.appKey, "unknownKey123456"]) {
      const path = pathOf(appKey);
      const body = JSON.stringify({ graceSeconds: 0 });
      const headers = signatureFor(mine, { method: "POST", path, body });
      const answer = await harness.post(path, body, headers);
      expectProblem(answer, 401, "unauthorised");
      texts.push(answer.text);
    }
    expect(texts[0]).toBe(texts[1] ?? "");
    expect(await statusWith(theirs)).toBe(200);
  });

  test("is refused with the secret that is being replaced", async () => {
    const old = await harness.createApplication();
    const { secretKey } = secretsIn(await rotate(old.appKey));
    expectProblem(await rotateSigned(old), 401, "unauthorised");
    secretsIn(await rotateSigned({ appKey: old.appKey, secretKey }));
  });

  test("uses its nonce up also when it is malformed", async () => {
    const keys = await harness.createApplication();
    const nonce = "nonce-of-malformed";
    const malformed = await rotateSigned(keys, 604_801, { nonce });
    expect(expectProblem(malformed, 422, "invalid")["errors"]).toEqual([
      { field: "graceSeconds", message: "must be a whole number from 0 to 604800" },
    ]);
    expectProblem(await rotateSigned(keys, 0, { nonce }), 401, "unauthorised");
  });
});

describe("what is malformed", () => {
  test.each([
    [{}],
    [{ graceSeconds: -1 }],
    [{ graceSeconds: 604_801 }],
    [{ graceSeconds: 1.5 }],
    [{ graceSeconds: "60" }],
  ])("%j is a problem that names the field", async (body) => {
    const { appKey } = await harness.createApplication();
    const problem = expectProblem(await harness.post(pathOf(appKey), body), 422, "invalid");
    expect(problem["errors"]).toMatchObject([{ field: "graceSeconds" }]);
  });

  test("a form is a problem", async () => {
    const answer = await harness.post(pathOf("x"), "graceSeconds=1", {
      "content-type": "application/x-www-form-urlencoded",
    });
    expectProblem(answer, 415, "unsupported");
  });

  test("another method is told which one there is", async () => {
    const answer = await harness.ask(pathOf("x"));
    expect(answer.status).toBe(405);
    expect(answer.headers.get("allow")).toBe("POST, OPTIONS");
    expect((await harness.ask("/api/v1/applications//rotate")).status).toBe(404);
  });
});
