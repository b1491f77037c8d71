// What the content of a task says, and when two creates are the same, against the examples of RFC 8785.
import { describe, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { contentDigest, readContent } from "../../src/core/task-content.ts";

const KIB = 1024;

function sha256(text: string): string {
  return createHash("sha256").update(text, "utf8").digest("hex");
}

function invalid(field: string, hint: string) {
  const errors = [{ field, message: expect.stringContaining(hint) }];
  return expect.objectContaining({ code: "invalid", details: { errors } });
}

function nested(depth: number): string {
  return `{"a":${"[".repeat(depth - 1)}${"]".repeat(depth - 1)}}`;
}

describe("content", () => {
  test.each([
    ['{"order":1}', { order: 1 }],
    [' {\n "order" : 1.0 } ', { order: 1 }],
    ['{"a":"\\u5e05","b":[null,true]}', { a: "帅", b: [null, true] }],
    ['{"a":"{\\":[","b":"\\\\"}', { a: '{":[', b: "\\" }],
  ])("%s in a string and as an object are the same", (text, object) => {
    expect(readContent(text)).toEqual(readContent(object));
    expect(readContent(text).text).toBe(JSON.stringify(object));
  });

  test.each([
    null,
    undefined,
    1,
    true,
    [[]],
    "",
    "x",
    "1",
    "[1]",
    '"{}"',
    "null",
    "{",
    '{"a":1,}',
    "{'a':1}",
    '{"a":1}{"b":2}',
    '"a',
  ])("%j is no object", (content) => {
    expect(() => readContent(content)).toThrow(invalid("content", "JSON object"));
  });

  test.each([
    '{"a":1,"a":1}',
    '{"a":{"b":1,"c":2,"b":3}}',
    '{"a":1,"\\u0061":2}',
    '{"__proto__":1,"__proto__":2}',
  ])("%s repeats a key", (text) => {
    expect(() => readContent(text)).toThrow(invalid("content", "repeat a key"));
  });

  test("keys named like methods are plain keys", () => {
    const text = '{"__proto__":{"x":1},"constructor":2,"toJSON":3}';
    expect(readContent(text).text).toBe(text);
  });

  test("may nest 64 levels and not 65, as an object or as a string", () => {
    expect(readContent(nested(64)).text).toBe(nested(64));
    expect(() => readContent(nested(65))).toThrow(invalid("content", "64 levels"));
    expect(() => readContent(JSON.parse(nested(65)))).toThrow(invalid("content", "64 levels"));
  });

  test("cannot exhaust the stack", () => {
    expect(() => readContent(nested(120_000))).toThrow(invalid("content", "64 levels"));
    expect(() => readContent(`{"a":${"[".repeat(120_000)}`)).toThrow(invalid("content", "64"));
  });

  test("may have 256 KiB as compact UTF-8 and not one byte more", () => {
    const frame = JSON.stringify({ a: "" }).length;
    const full = { a: "帅".repeat(3) + "x".repeat(256 * KIB - frame - 9) };
    expect(Buffer.byteLength(readContent(full).text)).toBe(256 * KIB);
    expect(readContent(JSON.stringify(full, null, 2)).value).toEqual(full);
    expect(() => readContent({ a: `${full.a}x` })).toThrow(invalid("content", "256 KiB"));
  });
});

describe("the job that content calls", () => {
  test.each([
    [
      { class: "a", _params: { x: 1 } },
      { className: "a", params: { x: 1 } },
    ],
    [
      { class: "a", params: { x: 1 } },
      { className: "a", params: { x: 1 } },
    ],
    [{ class: "\\Serendipity\\Job\\Job\\SimpleJob" }, expect.objectContaining({ params: {} })],
    [
      { class: "a", _params: null },
      { className: "a", params: null },
    ],
    [{ order: 1, params: { x: 1 } }, null],
    [{}, null],
  ])("of %j is %j", (content, call) => {
    expect(readContent(content).call).toEqual(call);
  });

  test.each([null, 1, "", " a", "a\n", {}, "x".repeat(256)])("cannot be %j", (className) => {
    expect(() => readContent({ class: className })).toThrow(invalid("content.class", "1–255"));
  });

  test("gets its params once", () => {
    const content = { class: "a", params: {}, _params: {} };
    expect(() => readContent(content)).toThrow(invalid("content.params", "_params"));
  });
});

describe("sameness", () => {
  const same = { name: "n", content: { a: 1, b: [1.5, "x"] }, timeout: 1000 };

  test("is SHA-256 over the RFC 8785 form: its number and string example", () => {
    const content = JSON.parse(
      '{"numbers":[333333333.33333329,1E30,4.50,2e-3,0.000000000000000000000000001],' +
        '"string":"\\u20ac$\\u000F\\u000aA\'\\u0042\\u0022\\u005c\\\\\\"\\/","literals":[null,true,false]}',
    );
    const canonical =
      '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],' +
      '"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}';
    expect(contentDigest({ name: "x", content, timeout: 1 })).toBe(
      sha256(`{"content":${canonical},"name":"x","timeout":1}`),
    );
  });

  test("sorts keys by UTF-16 code units, as the RFC's sorting example", () => {
    const content = {
      "\u20ac": "Euro Sign",
      "\r": "Carriage Return",
      "\ufb33": "Hebrew Letter Dalet With Dagesh",
      "1": "One",
      "\ud83d\ude00": "Emoji: Grinning Face",
      "\u0080": "Control",
      "\u00f6": "Latin Small Letter O With Diaeresis",
    };
    const canonical =
      '{"\\r":"Carriage Return","1":"One","\u0080":"Control",' +
      '"ö":"Latin Small Letter O With Diaeresis","€":"Euro Sign",' +
      '"😀":"Emoji: Grinning Face","\ufb33":"Hebrew Letter Dalet With Dagesh"}';
    expect(contentDigest({ name: "x", content, timeout: 1 })).toBe(
      sha256(`{"content":${canonical},"name":"x","timeout":1}`),
    );
  });

  test.each([
    { ...same, content: { b: [1.5, "x"], a: 1 } },
    { ...same, content: readContent('{"b":[15e-1,"\\u0078"],"a":1.0}').value },
    { ...same, runtime: undefined },
  ])("does not depend on order, spelling or an absent runtime (%#)", (other) => {
    expect(contentDigest(other)).toBe(contentDigest(same));
  });

  test("changes with each part, and with the runtime as it was sent", () => {
    const digests = [
      same,
      { ...same, name: "m" },
      { ...same, timeout: 1001 },
      { ...same, content: { ...same.content, a: 2 } },
      { ...same, content: { ...same.content, a: "1" } },
      { ...same, content: { ...same.content, c: null } },
      { ...same, runtime: 1_627_371_056 },
      { ...same, runtime: "1627371056" },
      { ...same, runtime: 1_627_371_056_000 },
    ].map(contentDigest);
    expect(new Set(digests).size).toBe(digests.length);
  });

  test.each(['{"a":1e400}', '{"a":"\\ud800"}', '{"\\udc00":1}'])("cannot be told of %s", (text) => {
    const { value: content } = readContent(text);
    expect(() => contentDigest({ name: "x", content, timeout: 1 })).toThrow(
      invalid("content", "Unicode"),
    );
  });
});
