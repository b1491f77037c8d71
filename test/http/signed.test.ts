// Signed requests: the two forms of signature over every signed route, replays, and everything that looks like one.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import {
  type Answer,
  createHarness,
  type Harness,
  type Keys,
  signatureFor,
  type ToSign,
} from "./http-harness.ts";

type Signed = Record<string, string>;

const NEW_TASK = { taskNo: "signed-1", name: "x", content: {}, timeout: 1000 };
const POSTS: [string, unknown][] = [
  ["/task/create", NEW_TASK],
  ["/task/cancel", { id: 999 }],
  ["/task/detail", { id: 999 }],
  ["/nsq/publish", { task_id: 999 }],
];

let harness: Harness;
let keys: Keys;
let readyMade: Signed;
beforeAll(async () => {
  harness = await createHarness();
  const { secretKey, appKey = "", ...headers } = await harness.createApplication();
  keys = { appKey, secretKey };
  readyMade = { ...headers, app_key: appKey };
});
afterAll(() => harness.close());

function expectRefusal(answer: Answer): void {
  expect(answer.status).toBe(401);
  expect(answer.headers.get("www-authenticate")).toStartWith("Signature ");
  expect(answer.body).toEqual({
    code: 1,
    msg: REFUSAL,
    data: [],
  });
}

const REFUSAL =
  "app_key is unknown, or the signature is missing, wrong, stale or already used; see docs/signature.md";
const HEADER_NAMES = ["app_key", "nonce", "timestamps", "payload", "signature"];

function bind(path: string, body: unknown, more: Partial<ToSign> = {}): Signed {
  return signatureFor(keys, { method: "POST", path, body: JSON.stringify(body), ...more });
}

describe.each(POSTS)("%s", (path, body) => {
  test("takes a body-bound signature", async () => {
    expect((await harness.post(path, body, bind(path, body))).status).toBe(200);
  });

  test("takes ready-made headers, again and again", async () => {
    for (let count = 0; count < 3; count += 1) {
      expect((await harness.post(path, body, readyMade)).status).toBe(200);
    }
  });

  test("takes app-key, and both spellings when they agree", async () => {
    const { app_key: appKey = "", ...rest } = bind(path, body);
    expect((await harness.post(path, body, { ...rest, "app-key": appKey })).status).toBe(200);
    const both = { ...bind(path, body), "app-key": appKey };
    expect((await harness.post(path, body, both)).status).toBe(200);
  });

  test.each<[string, (signed: Signed) => Signed]>([
    ["an unknown key", (signed) => ({ ...signed, app_key: "unknownKey123456" })],
    ["another nonce", (signed) => ({ ...signed, nonce: "another-nonce" })],
    [
      "a cut signature",
      (signed) => ({ ...signed, signature: signed["signature"]?.slice(0, -4) ?? "" }),
    ],
    ["both spellings with different keys", (signed) => ({ ...signed, "app-key": "other" })],
    [
      "a header twice",
      (signed) => ({ ...signed, nonce: `${signed["nonce"]}, ${signed["nonce"]}` }),
    ],
    ["a signature twice", (signed) => ({ ...signed, signature: `${signed["signature"]}, x` })],
    [
      "an uppercase payload",
      (signed) => ({ ...signed, payload: signed["payload"]?.toUpperCase() ?? "" }),
    ],
  ])("refuses %s", async (_what, change) => {
    expectRefusal(await harness.post(path, body, change(bind(path, body))));
    expectRefusal(await harness.post(path, body, change(readyMade)));
  });

  test.each<[string, Partial<ToSign>]>([
    ["another method", { method: "PUT" }],
    ["another path", { path: "/task/other" }],
    ["a query it does not have", { path: `${path}?x=1` }],
    ["another body", { body: '{"id":1}' }],
    ["a moment 301 s ago", { timestamps: String(Math.floor(Date.now() / 1000) - 301) }],
    ["a moment 310 s ahead", { timestamps: String(Math.floor(Date.now() / 1000) + 310) }],
    ["a short nonce", { nonce: "1234567" }],
    ["a long nonce", { nonce: "x".repeat(65) }],
    ["a nonce with a space", { nonce: "1234 5678" }],
    ["the ready-made payload of another name", { payload: md5("other") }],
  ])("refuses a signature for %s", async (_what, more) => {
    expectRefusal(await harness.post(path, body, bind(path, body, more)));
  });

  test("takes a local time of APP_TIMEZONE", async () => {
    const local = new Date(Date.now() + 8 * 3_600_000).toISOString().slice(0, 19).replace("T", " ");
    expect((await harness.post(path, body, bind(path, body, { timestamps: local }))).status).toBe(
      200,
    );
  });

  test.each(HEADER_NAMES)("names %s when it did not arrive", async (name) => {
    for (const signed of [bind(path, body), readyMade]) {
      const { [name]: _, ...rest } = signed;
      const answer = await harness.post(path, body, rest);
      expect(answer.status).toBe(401);
      expect(answer.body.msg).toStartWith(`${REFUSAL}; did not arrive: ${name}`);
      expect(answer.body.msg.includes("send it as app-key")).toBe(name === "app_key");
    }
  });

  test("names all of them when none arrived", async () => {
    const { msg } = (await harness.post(path, body)).body;
    expect(HEADER_NAMES.every((name) => msg.slice(REFUSAL.length).includes(name))).toBe(true);
  });

  test("binds the query too", async () => {
    const target = `${path}?trace=%E5%B8%85`;
    expect((await harness.post(target, body, bind(target, body))).status).toBe(200);
    expectRefusal(await harness.post(target, body, bind(path, body)));
  });

  test("tells a wrong signature before a wrong body", async () => {
    expectRefusal(await harness.post(path, "{", { ...readyMade, nonce: "12345678" }));
  });
});

describe("GET /task/detail", () => {
  const path = "/task/detail?id=999";

  test("is signed for its query and an empty body", async () => {
    const answer = await harness.ask(path, {
      headers: signatureFor(keys, { method: "GET", path }),
    });
    expect(answer.body).toEqual({ code: 1, msg: "Unknown!", data: [] });
    expect((await harness.ask(path, { headers: readyMade })).body.msg).toBe("Unknown!");
  });

  test("refuses the signature of another query", async () => {
    const headers = signatureFor(keys, { method: "GET", path: "/task/detail?id=998" });
    expectRefusal(await harness.ask(path, { headers }));
  });

  test("does not use its nonce up", async () => {
    const headers = signatureFor(keys, { method: "GET", path });
    for (let count = 0; count < 2; count += 1) {
      expect((await harness.ask(path, { headers })).status).toBe(200);
    }
  });

  test("answers a signed HEAD", async () => {
    const headers = signatureFor(keys, { method: "HEAD", path });
    expect((await harness.ask(path, { method: "HEAD", headers })).status).toBe(200);
  });
});

describe("a body-bound change", () => {
  test.each([
    ["/task/cancel", { id: 999 }, 200],
    ["/nsq/publish", { task_id: 999 }, 200],
    ["/task/cancel", {}, 422],
    ["/task/cancel", { id: "x" }, 422],
    ["/nsq/publish", { task_id: [] }, 422],
  ])("%s %j uses its nonce up, whatever it answers", async (path, body, status) => {
    const signed = bind(path, body);
    expect((await harness.post(path, body, signed)).status).toBe(status);
    expectRefusal(await harness.post(path, body, signed));
  });

  test.each([
    { what: "no JSON", body: "{", type: "application/json", status: 422 },
    { what: "a key twice", body: '{"id":1,"id":1}', type: "application/json", status: 422 },
    { what: "a form", body: "id=1", type: "application/x-www-form-urlencoded", status: 415 },
  ])("with $what uses its nonce up", async ({ body, type, status }) => {
    for (const path of ["/task/cancel", "/nsq/publish"]) {
      const signature = signatureFor(keys, { method: "POST", path, body });
      const headers = { ...signature, "content-type": type };
      expect((await harness.post(path, body, headers)).status).toBe(status);
      expectRefusal(await harness.post(path, body, headers));
    }
  });

  test("has one effect under 20 parallel replays", async () => {
    const body = { id: 999 };
    const signed = bind("/task/cancel", body);
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => harness.post("/task/cancel", body, signed)),
    );
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 401)).toHaveLength(19);
  });

  test("cannot take the nonce of another application", async () => {
    const other = await harness.createApplication();
    const nonce = "shared-nonce-1";
    const body = { id: 999 };
    const request = { method: "POST", path: "/task/cancel", body: JSON.stringify(body), nonce };
    for (const sender of [keys, other]) {
      const answer = await harness.post("/task/cancel", body, signatureFor(sender, request));
      expect(answer.status).toBe(200);
    }
  });

  test("a repeated create is answered as the first one", async () => {
    const body = { ...NEW_TASK, taskNo: "repeat-1" };
    const signed = bind("/task/create", body);
    const first = await harness.post("/task/create", body, signed);
    const second = await harness.post("/task/create", body, signed);
    expect(first.body.code).toBe(0);
    expect(second.body).toEqual(first.body);
  });
});

describe("ready-made headers", () => {
  test("are refused by an application that requires body-bound ones", async () => {
    const strict = await harness.createApplication({ requireBodySignature: true });
    const { secretKey: _, appKey = "", ...headers } = strict;
    expectRefusal(await harness.post("/task/detail", { id: 1 }, { ...headers, app_key: appKey }));
    expect((await harness.postSigned(strict, "/task/detail", { id: 1 })).status).toBe(200);
  });

  test("expire after SIGNATURE_TTL_S", async () => {
    const hourAgo = String(Math.floor(Date.now() / 1000) - 3600);
    const dayAgo = String(Math.floor(Date.now() / 1000) - 86_401);
    const made = (timestamps: string) =>
      bind("/task/detail", {}, { timestamps, payload: readyMade["payload"] ?? "" });
    expect((await harness.post("/task/detail", { id: 1 }, made(hourAgo))).status).toBe(200);
    expectRefusal(await harness.post("/task/detail", { id: 1 }, made(dayAgo)));
  });
});

test("the log names the application of a signed request", async () => {
  await harness.postSigned(keys, "/task/detail", { id: 1 });
  expect(harness.log.lines.at(-1)?.fields).toMatchObject({ app_key: keys.appKey, status: 200 });
});

function md5(text: string): string {
  return createHash("md5").update(text).digest("hex");
}
