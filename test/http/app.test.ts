// What every request gets, whatever becomes of it: the envelope, an id, a log line, the right status.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { AppError } from "../../src/core/errors.ts";
import { createApp } from "../../src/http/app.ts";
import type { Route } from "../../src/http/route.ts";
import { createRecordedLog } from "../support/recorded-log.ts";
import { createHarness, type Harness, ORIGIN, readAnswer } from "./http-harness.ts";

describe("every request", () => {
  let harness: Harness;
  beforeAll(async () => {
    harness = await createHarness();
  });
  afterAll(() => harness.close());

  test.each([
    ["/nothing"],
    ["/task"],
    ["/task/create/"],
    ["/TASK/CREATE"],
    ["//task/create"],
    ["/task%2Fcreate"],
    ["/constructor"],
    ["/swagger/../../package.json"],
  ])("an unknown path %s is 404 in the envelope", async (path) => {
    const answer = await harness.ask(path);
    expect(answer.status).toBe(404);
    expect(answer.body).toMatchObject({ code: 1, data: [] });
  });

  test.each([
    ["GET", "/task/create", "POST, OPTIONS"],
    ["PUT", "/task/detail", "GET, HEAD, POST, OPTIONS"],
    ["DELETE", "/application/create", "POST, OPTIONS"],
    ["PATCH", "/healthz", "GET, HEAD, OPTIONS"],
    ["HEAD", "/task/cancel", "POST, OPTIONS"],
  ])("the wrong method %s %s is 405 and says which are right", async (method, path, allow) => {
    const answer = await harness.ask(path, { method });
    expect(answer.status).toBe(405);
    expect(answer.headers.get("allow")).toBe(allow);
  });

  test.each([
    ["GET", "/api/v1/nothing"],
    ["POST", "/api/v1/applications"],
    ["GET", "/api/v1"],
  ])("no route for %s %s is a problem", async (method, path) => {
    const answer = await harness.ask(path, { method });
    expect(answer.headers.get("content-type")).toBe("application/problem+json");
    expect(answer.status).toBe(404);
    expect(answer.body).toMatchObject({ status: 404, code: "not_found" });
  });

  test.each([
    ["GET", "/api/v1/applications/key/rotate", "POST, OPTIONS"],
    ["DELETE", "/api/v1/hosts", "GET, HEAD, OPTIONS"],
  ])(
    "the wrong method %s %s is a problem that says which are right",
    async (method, path, allow) => {
      const answer = await harness.ask(path, { method });
      expect(answer.headers.get("content-type")).toBe("application/problem+json");
      expect(answer.headers.get("allow")).toBe(allow);
      expect(answer.status).toBe(405);
      expect(answer.body).toMatchObject({ status: 405, code: "method_not_allowed" });
    },
  );

  test.each([
    ["/healthz"],
    ["/nothing"],
    ["/task/detail?id=1"],
    ["/api/v1/nothing"],
    ["/api/v1/hosts"],
  ])("the answer of %s ends with a newline", async (path) => {
    const response = await harness.app.fetch(new Request(`${ORIGIN}${path}`));
    expect(await response.text()).toMatch(/^\{.*\}\n$/);
  });

  test("OPTIONS says what a path takes, without a body and without allowing other origins", async () => {
    const answer = await harness.ask("/task/detail", {
      method: "OPTIONS",
      headers: { origin: "https://evil.example", "access-control-request-method": "POST" },
    });
    expect(answer.status).toBe(204);
    expect(answer.headers.get("allow")).toBe("GET, HEAD, POST, OPTIONS");
    expect(answer.headers.get("access-control-allow-origin")).toBeNull();
    expect((await harness.ask("/nothing", { method: "OPTIONS" })).status).toBe(404);
  });

  test("HEAD answers as GET does", async () => {
    expect((await harness.ask("/healthz", { method: "HEAD" })).status).toBe(200);
    expect((await harness.ask("/task/detail?id=1", { method: "HEAD" })).status).toBe(401);
  });

  test("answers are JSON that nobody caches or guesses the type of", async () => {
    const { headers } = await harness.ask("/healthz");
    expect(headers.get("content-type")).toBe("application/json; charset=utf-8");
    expect(headers.get("cache-control")).toBe("no-store");
    expect(headers.get("x-content-type-options")).toBe("nosniff");
  });

  test.each([["a"], ["trace-1:2;3"], ["x".repeat(64)]])(
    "the caller's request id %s comes back",
    async (id) => {
      const { headers } = await harness.ask("/healthz", { headers: { "x-request-id": id } });
      expect(headers.get("x-request-id")).toBe(id);
    },
  );

  test.each([["x".repeat(65)], ["two words"], [""], ["tab\there"], ["é"]])(
    "a request id that is unfit for a log (%p) is replaced",
    async (id) => {
      const { headers } = await harness.ask("/healthz", { headers: { "x-request-id": id } });
      expect(headers.get("x-request-id")).toMatch(/^[0-9a-f-]{36}$/);
    },
  );

  test("each request leaves one log line, without its query, headers or body", async () => {
    const before = harness.log.lines.length;
    await harness.ask("/task/detail?id=7&secret=hunter2", {
      headers: { "x-request-id": "req-1", authorization: "Bearer hunter3" },
    });
    const lines = harness.log.lines.slice(before);
    expect(lines).toHaveLength(1);
    expect(lines[0]?.fields).toMatchObject({
      request_id: "req-1",
      method: "GET",
      path: "/task/detail",
      status: 401,
    });
    expect(lines[0]?.fields["ms"]).toBeNumber();
    expect(JSON.stringify(lines)).not.toContain("hunter");
  });

  test.each([
    ["/healthz", "debug"],
    ["/readyz", "debug"],
    ["/nothing", "info"],
    ["/", "info"],
  ])("%s is logged at %s: probes would drown the rest", async (path, level) => {
    await harness.ask(path);
    expect(harness.log.lines.at(-1)).toMatchObject({ level, fields: { path } });
  });

  test.each([["x"], ["api"], ["a:1"], ["[::1]:9502"], ["api.internal:80"], ["EXAMPLE.com"]])(
    "any well-formed Host (%s) reaches the path that was asked for, and only that",
    async (host) => {
      const ask = (path: string) =>
        harness.app.fetch(new Request(`http://${host}${path}`, { headers: { host } }));
      expect((await ask("/healthz")).status).toBe(200);
      expect((await ask("/zz/healthz")).status).toBe(404);
    },
  );

  test.each([["x/aaaaaaaaa"], ["u:p@localhost"], ["a b"], ["[::"], [""], ["a?b#c"], ["a, b"]])(
    "a malformed Host (%p) is 400",
    async (host) => {
      const request = new Request(`${ORIGIN}/healthz`, { headers: { host } });
      const answer = await readAnswer(await harness.app.fetch(request));
      expect(answer.status).toBe(400);
      expect(answer.body).toMatchObject({ code: 1, data: [] });
    },
  );

  test("a body reaches its route also when the Host is too short for the router", async () => {
    const answer = await readAnswer(
      await harness.app.fetch(
        new Request("http://a/application/refresh-signature", {
          method: "POST",
          headers: { host: "a", "content-type": "application/json" },
          body: '{"app_key":"k","secret_key":"s"}',
        }),
      ),
    );
    expect(answer.status).toBe(401);
  });

  test("/ says where everything is", async () => {
    const answer = await harness.ask("/");
    expect(answer.body).toMatchObject({ code: 0, data: { docs: "/swagger" } });
  });
});

describe("a route that throws", () => {
  const log = createRecordedLog();
  const thrown: Record<string, unknown> = {
    "/defect": new TypeError("secret detail of a defect"),
    "/text": "just text",
    "/configuration": new AppError("configuration", "secret setting"),
    "/internal": new AppError("internal", "secret of ours"),
    "/unavailable": new AppError("unavailable", "try again", {
      retryAfterS: 3,
      cause: new Error("connect ECONNREFUSED"),
    }),
    "/away": new AppError("unavailable", "connect ECONNREFUSED 10.0.0.7:3306", {
      forCallers: "the database cannot be reached",
      cause: new Error("connect ECONNREFUSED 10.0.0.7:3306"),
    }),
    "/refused": new AppError("refused", "no such job"),
    "/refused-with-data": new AppError("refused", "it runs", { data: { status: "running" } }),
    "/not-found": new AppError("not_found", "gone"),
    "/status": Object.assign(new Error("secret"), { status: 200, code: "NOT_FOUND" }),
  };
  const routes = Object.entries(thrown).map(
    ([path, error]): Route => ({
      method: "GET",
      path,
      answer: () => {
        throw error;
      },
    }),
  );
  const app = createApp(routes, log);
  const ask = async (path: string) =>
    readAnswer(await app.fetch(new Request(`http://localhost${path}`)));

  test.each([["/defect"], ["/text"], ["/configuration"], ["/internal"], ["/status"]])(
    "%s is 500 and says nothing of itself, but the log does",
    async (path) => {
      const answer = await ask(path);
      expect(answer.status).toBe(500);
      expect(answer.body.code).toBe(1);
      expect(answer.text).not.toContain("secret");
      expect(answer.text).not.toContain("text");
      expect(log.lines.at(-1)).toMatchObject({ level: "error", fields: { status: 500, path } });
      expect(log.lines.at(-1)?.fields["error"]).toMatch(/secret|just text/);
    },
  );

  test("what cannot be accepted now is 503 with Retry-After, and its cause is logged, not told", async () => {
    const answer = await ask("/unavailable");
    expect(answer.status).toBe(503);
    expect(answer.headers.get("retry-after")).toBe("3");
    expect(answer.body).toEqual({ code: 1, msg: "try again", data: [] });
    expect(log.lines.at(-1)?.fields["error"]).toBe("connect ECONNREFUSED");
  });

  test("a message that names a host is for the log", async () => {
    const answer = await ask("/away");
    expect(answer.body.msg).toBe("the database cannot be reached");
    expect(answer.text).not.toContain("10.0.0.7");
    expect(log.lines.at(-1)?.fields["error"]).toContain("10.0.0.7:3306");
  });

  test("a refusal is 200 with code 1", async () => {
    const plain = await ask("/refused");
    expect([plain.status, plain.body]).toEqual([200, { code: 1, msg: "no such job", data: [] }]);
    expect((await ask("/refused-with-data")).body.data).toEqual({ status: "running" });
    expect((await ask("/not-found")).status).toBe(404);
  });
});
