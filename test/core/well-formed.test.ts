// Halves of characters in JSON text: replaced where they stand alone, and nothing else is touched.
import { expect, test } from "bun:test";
import { wellFormed, wellFormedJson } from "../../src/core/well-formed.ts";
import { isWhole } from "../support/is-whole.ts";
import { mulberry } from "../support/mulberry.ts";

test.each([
  ['"\\ud83d"', '"\ufffd"'],
  ['"\\ude00\\ud83d"', '"\ufffd\ufffd"'],
  ['{"\\ud83d":"\\uD83D"}', '{"\ufffd":"\ufffd"}'],
  ['"\\ud83d\\ude00"', '"\\ud83d\\ude00"'],
  ['"\\ud83d\\ud83d\\ude00"', '"\ufffd\\ud83d\\ude00"'],
  ['"\\\\ud83d"', '"\\\\ud83d"'],
  ['"\\\\\\ud83d"', '"\\\\\ufffd"'],
  ['"\\u0041\\n😀"', '"\\u0041\\n😀"'],
])("%s becomes %s", (json, expected) => {
  expect(wellFormedJson(json)).toBe(expected);
});

test("whatever a text holds, its JSON says the same with U+FFFD for halves", () => {
  const parts = ["\ud83d", "\ude00", "😀", "\\", "\\u", "d83d", '"', "\n", "a"];
  const random = mulberry(7);
  for (let round = 0; round < 2_000; round++) {
    const some = Array.from({ length: 8 }, () => parts[Math.floor(random() * parts.length)]);
    const text = some.join("");
    const json = wellFormedJson(JSON.stringify({ [text]: [text] }));
    expect(JSON.parse(json)).toEqual({ [wellFormed(text)]: [wellFormed(text)] });
    expect(isWhole(JSON.parse(json))).toBe(true);
  }
});
