// Under which content types callers of the original API get their JSON through, and what still stays outside.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import {
  type Answer,
  createHarness,
  type Harness,
  type Keys,
  ORIGIN,
  readAnswer,
  signatureFor,
} from "./http-harness.ts";

const TASK = { taskNo: "typed", name: "n", content: {}, timeout: 1000 };
const CURLS = "application/x-www-form-urlencoded";

let harness: Harness;
let keys: Keys;
beforeAll(async () => {
  harness = await createHarness();
  keys = await harness.createApplication();
});
afterAll(() => harness.close());

/** Signed over the bytes that are sent. */
async function send(path: string, text: string, type: string | null): Promise<Answer> {
  const body = new TextEncoder().encode(text);
  const headers = signatureFor(keys, { method: "POST", path, body });
  const typed = type === null ? headers : { ...headers, "content-type": type };
  const request = new Request(ORIGIN + path, { method: "POST", headers: typed, body });
  return readAnswer(await harness.app.fetch(request));
}

describe("a signed JSON object on a path of the original API", () => {
  const paths: readonly [string, unknown][] = [
    ["/task/create", TASK],
    ["/task/detail", { id: 999 }],
    ["/task/cancel", { id: 999 }],
    ["/nsq/publish", { task_id: 999 }],
    ["/application/refresh-signature", { app_key: "k", secret_key: "s" }],
  ];
  const types = [CURLS, `${CURLS}; charset=UTF-8`, "text/plain", "Text/Plain;charset=UTF-8", null];
  const cases = paths.flatMap(([path, body]) => types.map((type) => ({ path, body, type })));

  test.each(cases)("is taken by $path as $type", async ({ path, body, type }) => {
    const answer = await send(path, ` \r\n\t${JSON.stringify(body)}`, type);
    const status = path === "/application/refresh-signature" ? 401 : 200;
    expect({ status: answer.status, text: answer.text }).toMatchObject({ status });
  });

  test.each([CURLS, "text/plain"])("is looked at like any other as %s", async (type) => {
    expect((await send("/task/cancel", '{"id":1,"id":1}', type)).status).toBe(422);
    expect((await send("/task/cancel", '{"id":', type)).status).toBe(422);
    expect((await send("/task/cancel", "{}", type)).status).toBe(422);
  });
});

test.each([
  { type: CURLS, body: "taskNo=1&name=n&timeout=1000" },
  { type: CURLS, body: "%7B%22taskNo%22%3A1%7D=" },
  { type: CURLS, body: "" },
  { type: CURLS, body: "[1]" },
  { type: "text/plain", body: "hello" },
  { type: "text/plain;charset=iso-8859-1", body: JSON.stringify(TASK) },
  { type: "multipart/form-data; boundary=x", body: JSON.stringify(TASK) },
  { type: "text/html", body: JSON.stringify(TASK) },
])("$body as $type is 415 and shows the right curl", async ({ type, body }) => {
  const answer = await send("/task/create", body, type);
  expect(answer.status).toBe(415);
  expect(answer.body.msg).toContain(`curl ${ORIGIN}/task/create`);
});

test("the signature covers the bytes, whatever their type", async () => {
  const headers = signatureFor(keys, { method: "POST", path: "/task/cancel", body: '{"id":998}' });
  const typed = { ...headers, "content-type": CURLS };
  expect((await harness.post("/task/cancel", '{"id":999}', typed)).status).toBe(401);
});

test("a JSON object that says it is a form does not rotate secrets", async () => {
  const path = `/api/v1/applications/${keys.appKey}/rotate`;
  expect((await send(path, '{"graceSeconds":3600}', CURLS)).status).toBe(415);
});

test.each([
  { adminToken: null, status: 415 },
  { adminToken: "correct horse", status: 200 },
])("an application is created under curl's type: $adminToken, $status", async (given) => {
  const own = await createHarness({ adminToken: given.adminToken });
  const body = { appName: "n", linkUrl: "http://127.0.0.1" };
  const headers = { "content-type": CURLS, authorization: "Bearer correct horse" };
  expect((await own.post("/application/create", body, headers)).status).toBe(given.status);
  await own.close();
});
