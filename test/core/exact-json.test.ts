// JSON as exact as it came: which numbers a double keeps, how text is cut, and what is shown of the others.
import { describe, expect, test } from "bun:test";
import { markMisfits, misfitsIn, parseExact, unmarked } from "../../src/core/exact-json.ts";
import { compactJson, memberText, numbersOf } from "../../src/core/json-source.ts";
import { mulberry } from "../support/mulberry.ts";

/** Whether two decimal numbers are the same, on a way of its own: as fractions of whole numbers. */
function isEqual(a: string, b: string): boolean {
  const [left, right] = [fractionOf(a), fractionOf(b)];
  return left.top * right.bottom === right.top * left.bottom;
}

function fractionOf(number: string): { top: bigint; bottom: bigint } {
  const [mantissa = "", power = "0"] = number.toLowerCase().split("e");
  const [whole = "", fraction = ""] = mantissa.split(".");
  const shift = Number(power) - fraction.length;
  const digits = BigInt(whole + fraction);
  return shift < 0
    ? { top: digits, bottom: 10n ** BigInt(-shift) }
    : { top: digits * 10n ** BigInt(shift), bottom: 1n };
}

describe("a number", () => {
  test.each([
    "0",
    "-0",
    "-0.0",
    "0e999999",
    "0.1",
    "1.0",
    "100",
    "1e2",
    "1E+2",
    "9007199254740991",
    "9007199254740992",
    "12345678901234567000",
    "0.30",
    "1.5E300",
    "1e23",
    "5e-324",
    "1.7976931348623157e308",
    "0.1000000000000000000000",
    "123456789012345680000",
    "1e-7",
    "0.000000000000000000001",
  ])("%s fits", (number) => {
    expect(markMisfits(`[${number}]`)).toBeUndefined();
    expect(JSON.stringify(parseExact(`[${number}]`))).toBe(`[${number}]`);
  });

  test.each([
    ["9007199254740993", "9007199254740993e0"],
    ["-9007199254740993.000", "-9007199254740993e0"],
    ["123456789012345678901234567890", "12345678901234567890123456789e1"],
    ["1E-400", "1e-400"],
    ["100.0e-402", "1e-400"],
    ["1E400", "1e400"],
    ["0.10000000000000001", "10000000000000001e-17"],
    ["333333333.33333329", "33333333333333329e-8"],
    ["1.79769313486231580E+308", "17976931348623158e292"],
    ["5e-325", "5e-325"],
    ["1e99999999999999999999", "1e99999999999999999999"],
  ])("%s does not fit", (number, decimal) => {
    const marked = markMisfits(`{"a":[1,${number}]}`);
    expect(unmarked(JSON.stringify(marked))).toBe(`{"a":[1,${decimal}]}`);
    expect(misfitsIn(marked)).toEqual([{ path: ["a", "1"], double: Number(number) }]);
    expect(JSON.stringify(parseExact(`{"a":[1,${number}]}`))).toBe(`{"a":[1,${number}]}`);
  });

  test("10,000 of many kinds fit exactly when their double prints the same value", () => {
    const random = mulberry(20_261_130);
    const below = (limit: number) => Math.floor(random() * limit);
    const digits = (count: number) => Array.from({ length: count }, () => below(10)).join("");
    const number = () => {
      const whole = `${1 + below(9)}${digits(below(24))}`;
      const fraction = below(2) === 0 ? "" : `.${digits(1 + below(24))}`;
      const power =
        below(3) === 0 ? `${"eE"[below(2)]}${["", "+", "-"][below(3)]}${below(330)}` : "";
      return `${["", "-"][below(2)]}${below(4) === 0 ? "0" : whole}${fraction}${power}`;
    };
    const numbers = Array.from({ length: 10_000 }, number);
    const misfits = new Set(
      misfitsIn(markMisfits(`[${numbers.join(",")}]`)).map(({ path }) => Number(path[0])),
    );
    const wrong = numbers.filter((each, index) => {
      const double = Number(each);
      const fits = Number.isFinite(double) && isEqual(each, String(double));
      return fits === misfits.has(index);
    });
    expect(wrong).toEqual([]);
    expect(misfits.size).toBeGreaterThan(1_000);
    expect(misfits.size).toBeLessThan(9_000);
  });

  test("misfits are found where they are, in order, and keys like __proto__ are plain", () => {
    const text = '{"a.b":{"c":[{"d":1e400}]},"__proto__":9007199254740993,"s":"9007199254740993"}';
    expect(misfitsIn(markMisfits(text)).map(({ path }) => path)).toEqual([
      ["a.b", "c", "0", "d"],
      ["__proto__"],
    ]);
  });

  test("in what nests too deep to be walked is parsed all the same", () => {
    const text = `${"[".repeat(20_000)}1e5${"]".repeat(20_000)}`;
    expect(JSON.stringify(parseExact(text))).toBe(text.replace("1e5", "100000"));
  });
});

describe("text", () => {
  test("has its numbers outside strings only, as they are written", () => {
    const text =
      '{"a 1":"2,\\"3","b":[-0.50,1E+2 ,3]\n,"c":{"d":true,"e":null,"f":4e-1}, "g" : 5 }';
    expect([...numbersOf(text)]).toEqual(["-0.50", "1E+2", "3", "4e-1", "5"]);
    expect([...numbersOf("12")]).toEqual(["12"]);
  });

  test.each([
    ['{"a":1}', '{"a":1}'],
    [' {\r\n\t"a" : [ 1 , 2.0 ] }\n', '{"a":[1,2.0]}'],
    ['{"a b":" \\" \\\\", "c" : "\\u0020" }', '{"a b":" \\" \\\\","c":"\\u0020"}'],
    ["[]", "[]"],
  ])("%j is compact as %j", (text, compact) => {
    expect(compactJson(text)).toBe(compact);
  });

  test.each([
    [
      '{"a":1,"content":{"x":[1,{"content":2}],"y":"},\\""},"b":2}',
      '{"x":[1,{"content":2}],"y":"},\\""}',
    ],
    ['{"x":{"content":1},"content" : 1.0 }', " 1.0 "],
    ['{"\\u0063ontent":"a,b"}', '"a,b"'],
    [' {"a":"content","b":[",content"],"content":null}', "null"],
    ['{"contents":1}', undefined],
    ["{}", undefined],
  ])("%j has the member %j", (text, member) => {
    expect(memberText(text, "content")).toBe(member);
  });
});
