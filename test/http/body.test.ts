// What is taken as a body and what is refused, byte by byte; every refusal shows the right curl.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { gzipSync } from "node:zlib";
import { createHarness, type Harness } from "./http-harness.ts";

const PATH = "/application/refresh-signature";
const RIGHT = '{"app_key":"k","secret_key":"s"}';
const JSON_TYPE = { "content-type": "application/json" };

interface Malformed {
  readonly data: { readonly errors: readonly { field: string; message: string }[] };
}

describe("a body", () => {
  let harness: Harness;
  beforeAll(async () => {
    harness = await createHarness({ maxBodyBytes: 1000 });
  });
  afterAll(() => harness.close());

  const send = (
    body: NonNullable<RequestInit["body"]>,
    headers: Record<string, string> = JSON_TYPE,
  ) => harness.ask(PATH, { method: "POST", body, headers });

  test.each([
    ["application/json"],
    ["application/json; charset=utf-8"],
    ['application/json; charset="UTF-8"'],
    ["Application/JSON;charset=utf8"],
    ["application/vnd.api+json"],
  ])("of type %s is read", async (type) => {
    expect((await send(RIGHT, { "content-type": type })).status).toBe(401);
  });

  test("without a type is taken as JSON", async () => {
    expect((await send(new TextEncoder().encode(RIGHT), {})).status).toBe(401);
  });

  test.each([
    ["multipart/form-data; boundary=x"],
    ["text/html"],
    ["text/json"],
    ["application/jsonp"],
    ["application/json; charset=gbk"],
    ["application/json; charset=utf-16"],
    ["application/xml"],
    ["*/*"],
  ])("of type %s is 415 and shows the right curl", async (type) => {
    const answer = await send(RIGHT, { "content-type": type });
    expect(answer.status).toBe(415);
    expect(answer.body).toMatchObject({ code: 1, data: [] });
    expect(answer.body.msg).toContain(`curl http://127.0.0.1:9502${PATH}`);
    expect(answer.body.msg).toContain("content-type: application/json");
  });

  test.each([["gzip"], ["br"], ["deflate"], ["identity, gzip"]])(
    "compressed with %s is 415",
    async (encoding) => {
      const answer = await send(gzipSync(RIGHT), { ...JSON_TYPE, "content-encoding": encoding });
      expect(answer.status).toBe(415);
    },
  );

  test.each([
    ["empty", "", "body is empty"],
    ["a byte order mark", `\ufeff${RIGHT}`, "body begins with a byte order mark"],
    [
      "a byte that is not UTF-8",
      Buffer.from('{"app_key":"\xff"}', "latin1"),
      "body is not valid UTF-8",
    ],
    ["a cut character", Buffer.from('{"app_key":"\xe5\xb8"}', "latin1"), "body is not valid UTF-8"],
    [
      "an encoded surrogate",
      Buffer.from('{"a":"\xed\xa0\x80"}', "latin1"),
      "body is not valid UTF-8",
    ],
    ["UTF-16", Buffer.from(`\ufeff${RIGHT}`, "utf16le"), "body is not valid UTF-8"],
    ["no JSON", "app_key=k", "body is not JSON (line 1, column 1)"],
    ["cut JSON", '{\n "app_key": ', "body is not JSON (line 2, column 13)"],
    ["a trailing comma", '{"app_key":"k",}', "body is not JSON"],
    ["a comment", `/* hi */ ${RIGHT}`, "body is not JSON"],
    ["single quotes", "{'app_key':'k'}", "body is not JSON"],
    ["two values", `${RIGHT}${RIGHT}`, "body is not JSON"],
    ["NaN", '{"app_key":NaN}', "body is not JSON"],
    ["a raw control character", '{"app_key":"a\u0001"}', "body is not JSON"],
    ["a text", '"x"', "body must be a JSON object"],
    ["an array", "[1]", "body must be a JSON object"],
    ["null", "null", "body must be a JSON object"],
    ["a number", "1", "body must be a JSON object"],
    ["65 levels", `{"a":${"[".repeat(64)}${"]".repeat(64)}}`, "body nests deeper than 64 levels"],
    ["only opening brackets", "[".repeat(900), "body nests deeper than 64 levels"],
    ["a key twice", '{"app_key":"a","app_key":"b"}', "app_key is there twice (line 1, column 16)"],
    ["a key twice inside", '{"x":[{"y":1,"y":1}]}', "x.0.y is there twice"],
    ["a key twice, once escaped", '{"app_key":"a","app\\u005fkey":"b"}', "app_key is there twice"],
    ["__proto__ twice", '{"__proto__":1,"__proto__":2}', "__proto__ is there twice"],
    ["a strange key twice", '{"<b>":1,"<b>":2}', "body holds a key that is there twice"],
  ])("of %s is 422, names what is wrong and shows the right curl", async (_what, body, message) => {
    const answer = await send(body);
    expect(answer.status).toBe(422);
    expect(answer.body.msg).toStartWith(message);
    expect(answer.body.msg).toContain(`curl http://127.0.0.1:9502${PATH}`);
    const { errors } = (answer.body as Malformed).data;
    expect(errors).toHaveLength(1);
    expect(`${errors[0]?.field} ${errors[0]?.message}`).toStartWith(message);
  });

  test.each([
    ["64 levels", `{"app_key":"k","secret_key":"s","x":${"[".repeat(63)}${"]".repeat(63)}}`],
    ["brackets and colons in texts", '{"app_key":"[{:","secret_key":"\\"\\\\","x":":\\\\"}'],
    ["the same key in different objects", '{"app_key":"k","secret_key":"s","x":{"app_key":1}}'],
    ["prototype keys", '{"app_key":"k","secret_key":"s","__proto__":{"a":1},"constructor":1}'],
    ["unknown fields", '{"app_key":"k","secret_key":"s","color":"red"}'],
    ["white space around", ` \r\n\t${RIGHT}\n`],
  ])("with %s is read", async (_what, body) => {
    expect((await send(body)).status).toBe(401);
  });

  test("cannot set a field through __proto__", async () => {
    const answer = await send('{"__proto__":{"app_key":"k","secret_key":"s"}}');
    expect(answer.status).toBe(422);
    expect((answer.body as Malformed).data.errors.map(({ field }) => field)).toEqual([
      "app_key",
      "secret_key",
    ]);
    expect(Object.hasOwn(Object.prototype, "app_key")).toBe(false);
  });

  test.each([
    [1000, 401],
    [1001, 413],
  ])("of %p bytes where 1000 are allowed is %p", async (length, status) => {
    const body = RIGHT.padEnd(length, " ");
    expect((await send(body)).status).toBe(status);
    const declared = { ...JSON_TYPE, "content-length": String(length) };
    expect((await send(body, declared)).status).toBe(status);
    const lied = { ...JSON_TYPE, "content-length": "10" };
    expect((await send(body, lied)).status).toBe(status);
  });

  test("that is too large is refused in the envelope, and the connection with it", async () => {
    const answer = await send("x".repeat(5000));
    expect(answer.body).toEqual({ code: 1, msg: "the body must be at most 1000 bytes", data: [] });
    expect(answer.headers.get("connection")).toBe("close");
  });

  test("that ends before it is complete is 422, not a defect", async () => {
    const broken = new ReadableStream<Uint8Array>({
      pull: (controller) => controller.error(new Error("the client left")),
    });
    expect((await send(broken)).status).toBe(422);
    expect(harness.log.lines.at(-1)).toMatchObject({ level: "info" });
  });
});
