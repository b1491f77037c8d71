// Creating applications: allowed and refused callers, with an ADMIN_TOKEN and without one.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { createHarness, type Harness, readAnswer } from "./http-harness.ts";

const TYPE = { "content-type": "application/json" };
const BODY = JSON.stringify({ appName: "admin test", linkUrl: "http://127.0.0.1" });

async function create(
  harness: Harness,
  headers: Record<string, string>,
  url = "http://127.0.0.1:9502",
) {
  const request = new Request(`${url}/application/create`, { method: "POST", headers, body: BODY });
  return readAnswer(await harness.app.fetch(request));
}

describe("with ADMIN_TOKEN", () => {
  let harness: Harness;
  beforeAll(async () => {
    harness = await createHarness({ adminToken: "correct horse" });
  });
  afterAll(() => harness.close());

  test.each([["Bearer correct horse"], ["bearer correct horse"], ["Bearer  correct horse"]])(
    "%j may",
    async (authorization) => {
      expect((await create(harness, { ...TYPE, authorization })).body.code).toBe(0);
    },
  );

  test.each([
    [""],
    ["Bearer"],
    ["Bearer correct"],
    ["Bearer correct horse2"],
    ["Bearer Correct Horse"],
    ["Basic correct horse"],
    ["correct horse"],
  ])("%j may not, also from this machine", async (authorization) => {
    const answer = await create(harness, { ...TYPE, authorization });
    expect(answer.status).toBe(401);
    expect(answer.headers.get("www-authenticate")).toStartWith("Bearer");
    expect(answer.text).not.toContain("horse");
  });

  test("the bearer may also come through a proxy and without a content type", async () => {
    const headers = { authorization: "Bearer correct horse", "x-forwarded-for": "1.2.3.4" };
    const request = new Request("http://api.example/application/create", {
      method: "POST",
      headers,
      body: new TextEncoder().encode(BODY),
    });
    expect((await harness.app.fetch(request)).status).toBe(200);
  });
});

describe("without ADMIN_TOKEN on a loopback HOST", () => {
  let harness: Harness;
  beforeAll(async () => {
    harness = await createHarness({ host: "::1" });
  });
  afterAll(() => harness.close());

  test.each([
    ["127.0.0.1:9502"],
    ["127.0.0.1"],
    ["localhost"],
    ["LOCALHOST:80"],
    ["[::1]:9502"],
    ["[::1]"],
  ])("the Host %s may", async (host) => {
    expect((await create(harness, { ...TYPE, host }, `http://${host}`)).body.code).toBe(0);
  });

  test.each([
    ["rebound.example"],
    ["127.0.0.1.example.com"],
    ["localhost.example.com:9502"],
    ["127.0.0.2"],
    ["192.168.0.5:9502"],
    ["0.0.0.0"],
  ])("the Host %s may not", async (host) => {
    expect((await create(harness, { ...TYPE, host }, `http://${host}`)).status).toBe(401);
  });

  test("the Host header and the request target must both be local", async () => {
    expect((await create(harness, { ...TYPE, host: "evil.example" })).status).toBe(401);
    const host = { ...TYPE, host: "localhost" };
    expect((await create(harness, host, "http://evil.example")).status).toBe(401);
  });

  test.each([
    ["forwarded", "for=1.2.3.4"],
    ["x-forwarded-for", "127.0.0.1"],
    ["X-Forwarded-Host", "localhost"],
    ["x-forwarded-proto", "https"],
    ["Via", "1.1 proxy"],
  ])("nobody may who came through a proxy (%s)", async (name, value) => {
    expect((await create(harness, { ...TYPE, [name]: value })).status).toBe(401);
  });

  test.each([
    ["text/plain"],
    ["application/x-www-form-urlencoded"],
    ["multipart/form-data; boundary=x"],
  ])("nothing of type %s is taken", async (type) => {
    expect((await create(harness, { "content-type": type })).status).toBe(415);
  });

  test("nothing without a type is taken: a page on the web could send it", async () => {
    const request = new Request("http://localhost/application/create", {
      method: "POST",
      body: new TextEncoder().encode(BODY),
    });
    expect((await harness.app.fetch(request)).status).toBe(415);
  });

  test("a bearer does not help where none is set", async () => {
    const headers = { ...TYPE, host: "api.example", authorization: "Bearer null" };
    expect((await create(harness, headers)).status).toBe(401);
  });
});

test("without ADMIN_TOKEN nobody may on any other HOST", async () => {
  const harness = await createHarness({ host: "0.0.0.0" });
  expect((await create(harness, { ...TYPE, host: "localhost" })).status).toBe(401);
  await harness.close();
});
