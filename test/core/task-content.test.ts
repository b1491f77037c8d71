// What the content of a task says, and when two creates are the same, against the examples of RFC 8785.
import { describe, expect, test } from "bun:test";
import { deliveryBody } from "../../src/callback/signing.ts";
import { memberText } from "../../src/core/json-source.ts";
import { readContent, requireFittingParams } from "../../src/core/task-content.ts";
import { mulberry } from "../support/mulberry.ts";

const KIB = 1024;

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
    const { text: _, ...asText } = readContent(text);
    expect(asText).toEqual(expect.objectContaining({ value: object, call: null }));
    expect(readContent(object).text).toBe(JSON.stringify(object));
  });

  test.each([
    null,
    undefined,
    1,
    true,
    [[1]],
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

  test("that PHP wrote as an empty array is an empty object", () => {
    const empty = { value: {}, text: "{}", marked: undefined, call: null };
    for (const sent of [[], "[]", " [ ] ", "{}"]) expect(readContent(sent)).toEqual(empty);
    expect(readContent([], "[]")).toEqual(empty);
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
      { className: "a", field: "_params", params: { x: 1 } },
    ],
    [
      { class: "a", params: { x: 1 } },
      { className: "a", field: "params", params: { x: 1 } },
    ],
    [{ class: "\\Serendipity\\Job\\Job\\SimpleJob" }, expect.objectContaining({ params: {} })],
    [
      { class: "a", _params: null },
      { className: "a", field: "_params", params: null },
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

describe("content travels as it came", () => {
  const exact =
    '{"orderId":9007199254740993,"id":123456789012345678901234567890,"t":1E-400,"price":1.0}';

  test.each([
    [exact, exact],
    [
      ' {\n "orderId" : 9007199254740993 , "b" : [ 1.0, " x " ] } ',
      '{"orderId":9007199254740993,"b":[1.0," x "]}',
    ],
    ['{"2":1,"1":"\\u5e05\\/","a":-0}', '{"2":1,"1":"\\u5e05\\/","a":-0}'],
  ])("%s, without the white space around its tokens", (text, kept) => {
    expect(readContent(text).text).toBe(kept);
    expect(readContent(JSON.parse(text), text).text).toBe(kept);
  });

  test("for 300 contents of all shapes, from the body of a create to the body of a delivery", () => {
    const random = mulberry(10_020_301);
    for (let round = 0; round < 300; round += 1) {
      const text = `{${anyMembers(random, 3)}}`;
      const body = `{"taskNo":"content",${spaces(random)}"content"${spaces(random)}:${text},"name":"x"}`;
      const asObject = readContent(JSON.parse(text), memberText(body, "content"));
      const kept = `{"data":${text.replaceAll(/[ \n\t\r]/g, "")}}`;
      expect(deliveryBody(asObject.text)).toBe(kept);
      expect(deliveryBody(readContent(text).text)).toBe(kept);
      expect(numbersIn(kept)).toEqual(numbersIn(text));
    }
  });

  test("and may have as many needless escapes as before", () => {
    const escaped = `{"a":"${"\\u5e05".repeat(80_000)}"}`;
    expect(readContent(escaped).text).toBe(escaped);
    const tooLong = `{"a":${"9".repeat(256 * KIB)}}`;
    expect(() => readContent(tooLong)).toThrow(invalid("content", "256 KiB"));
  });
});

describe("a number that no double keeps", () => {
  test.each([
    [
      '{"class":"a","_params":{"order":{"ids":[1,9007199254740993]}}}',
      "content._params.order.ids.1",
      "9007199254740992",
    ],
    ['{"class":"a","params":1E400}', "content.params", "Infinity"],
  ])("in the params of a job, %s, is refused by its place", (text, field, double) => {
    const content = readContent(text);
    expect(() => requireFittingParams(content)).toThrow(
      invalid(field, `as ${double}: send it as text`),
    );
  });

  test("is fine in a callback, beside params, and as text", () => {
    for (const text of [
      '{"params":1e400}',
      '{"class":"a","id":1e400,"params":{"id":"9007199254740993"}}',
    ]) {
      expect(() => requireFittingParams(readContent(text))).not.toThrow();
    }
  });
});

function anyMembers(random: () => number, depth: number): string {
  const count = Math.floor(random() * 4);
  const member = (_: unknown, at: number) => `"k${at}"${spaces(random)}:${anyValue(random, depth)}`;
  return Array.from({ length: count }, member).join(`,${spaces(random)}`);
}

function anyValue(random: () => number, depth: number): string {
  const kind = Math.floor(random() * (depth > 0 ? 6 : 4));
  if (kind === 4) return `{${spaces(random)}${anyMembers(random, depth - 1)}}`;
  if (kind === 5)
    return `[${anyValue(random, depth - 1)}${spaces(random)},${anyValue(random, depth - 1)}]`;
  if (kind === 3)
    return ['"\\u0020\\""', "null", "true", '"{:,}"'][Math.floor(random() * 4)] ?? "null";
  const digits = String(random()).slice(2) + String(random()).slice(2);
  const power =
    random() < 0.3 ? `${random() < 0.5 ? "e-" : "E+"}${Math.floor(random() * 500)}` : "";
  return `${random() < 0.5 ? "-" : ""}1${digits.slice(0, Math.floor(random() * 30))}.${digits.slice(-3)}${power}`;
}

function spaces(random: () => number): string {
  return [" ", "\n", "\t ", "", "", ""][Math.floor(random() * 6)] ?? "";
}

/** The numbers of a JSON text as they are written. */
function numbersIn(text: string): readonly string[] {
  const numbers: string[] = [];
  JSON.parse(text, (_key, value, { source = "" }) => {
    if (typeof value === "number") numbers.push(source);
    return value;
  });
  return numbers;
}
