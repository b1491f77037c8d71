// Patterns on the linear engine: the same answer as the runtime's own for whatever can be expressed, and nothing else taken.
import { describe, expect, test } from "bun:test";
import { linearPattern } from "../../src/core/linear-pattern.ts";
import { plainSteps } from "../../src/core/plain-pattern.ts";

// biome-ignore format: a table is read by its columns
const ATOMS = ["a", "b", "1", "_", "é", "😀", "\\d", "\\D", "\\w", "\\W", "\\s", "\\S", ".", "\\n", "\\v", "\\u2028", "\\u{1F600}", "\\ud83d\\ude00", "\\ud83d", "\\x41", "\\.", "\\/", "\\p{L}", "\\p{Lu}", "\\P{L}", "\\p{gc=Nd}", "\\cJ", "[\\0]", "[ab]", "[^a]", "[a-z]", "[\\w.-]", "[^\\s]", "[\\S]", "[^\\W_]", "[]", "[^]", "[\\b\\-]", "[[:a]", "[&&a]", "[\\u{1F600}-\\u{1F64F}]", "[^\\D1]", "[-a]", "[a-]", "[\\p{Lu}\\d]", "\\$", "-", "#", " ", "\\^", "\\\\", "\\{", "\\]"];
// biome-ignore format: a table is read by its columns
const CHARACTERS = ["a", "b", "z", "A", "1", "9", "_", "é", "😀", "\n", "\r", "\u2028", "\u2029", " ", "\t", "\v", "\u00a0", "\ufeff", "-", ".", "/", "$", "[", "]", ":", "&", "{", "\0", "\ud83d", "\ude00", "\b", "\u3000", "Ω", "ß", "^", "\\", "#"];
const REPEATS = ["*", "+", "?", "{2}", "{1,3}", "{0,}", "*?", "+?", "??", "{2,3}?"];

/** The same numbers in every run. */
function createDice(seed: number) {
  let state = seed;
  const roll = (sides: number) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * sides);
  };
  const pick = <T>(list: readonly T[]): T => list[roll(list.length)] as T;
  return { roll, pick };
}
type Dice = ReturnType<typeof createDice>;

function randomPattern(dice: Dice, depth: number): string {
  const kind = depth === 0 ? 0 : dice.roll(10);
  const part = () => randomPattern(dice, depth - 1);
  if (kind < 4) return dice.pick(ATOMS);
  if (kind < 6) return part() + part();
  if (kind === 6) return `(${part()}|${part()})`;
  if (kind === 7) return `(?:${part()})${dice.pick(REPEATS)}`;
  if (kind === 8)
    return dice.pick(["^", "\\b", "\\B", `(?<n${dice.roll(1e9)}>${part()})`]) + part();
  return `${part()}$`;
}

function randomText(dice: Dice): string {
  return Array.from({ length: dice.roll(8) }, () => dice.pick(CHARACTERS)).join("");
}

test.each([1, 2, 3])(
  "thousands of random patterns answer as the runtime does (seed %d)",
  (seed) => {
    const dice = createDice(seed);
    const differing: unknown[] = [];
    let matches = 0;
    for (let count = 0; count < 1_500; count += 1) {
      const pattern = randomPattern(dice, 4);
      const own = new RegExp(pattern, "u");
      const linear = linearPattern(pattern);
      if (linear === null) throw new Error(`cannot express ${pattern}`);
      for (let at = 0; at < 10; at += 1) {
        const text = randomText(dice);
        matches += own.test(text) ? 1 : 0;
        if (own.test(text) !== linear.test(text)) differing.push([pattern, text]);
      }
    }
    expect(differing).toEqual([]);
    // Both answers were seen often.
    expect(matches).toBeGreaterThan(1_000);
    expect(matches).toBeLessThan(14_000);
  },
);

describe("what is written in schemas", () => {
  test.each([
    ["^[\\w.+-]+@[\\w-]+\\.[\\w.]+$", "someone@example.com", "someone@"],
    ["^\\d{4}-\\d{2}-\\d{2}$", "2021-07-27", "2021-07-27\n"],
    ["^[\\u4e00-\\u9fa5]{2,4}$", "倒计时", "倒"],
    ["^(?<year>\\d+)\\/x$", "1/x", "1\\/x"],
    ["^\\p{Letter}+$".replace("Letter", "L"), "Ωé", "a1"],
    ["^.$", "😀", "\u2028"],
    ["^1[3-9]\\d{9}$", "13812345678", "12812345678"],
  ])("%s", (pattern, right, wrong) => {
    const linear = linearPattern(pattern);
    expect([linear?.test(right), linear?.test(wrong)]).toEqual([true, false]);
  });
});

describe("what the runtime's own engine takes in linear time", () => {
  test.each([
    "^(.*)$",
    "^(0|[1-9][0-9]*)$",
    "^\\d{4}-\\d{2}-\\d{2}$",
    "^[\\w.+-]+@x$",
    "^(?:GET|POST) \\/[a-z?*+{}()|]*$",
    "^\\(\\*\\+[*+]{2}a?$",
    "^(?<year>\\d{4})\\p{Lu}*$",
  ])("%s stays there", (pattern) => {
    expect(plainSteps(pattern)).toBeGreaterThan(0);
  });

  test.each([
    ["not tied to the beginning", "a*b"],
    ["an alternative that is not", "^a|b*c"],
    ["alternatives that are combined", `^${"(a|a)".repeat(25)}b`],
    ["two repetitions", "^a*a*b"],
    ["two that may be left out", "^a?a?b"],
    ["a group that is repeated", "^(a)*b"],
    ["a group a fixed number of times", "^(a?){20}b"],
    ["a range and a repetition", "^a{2,9}b*c"],
    ["a lazy repetition", "^a*?b"],
    ["a class that hides nothing", "^[)]*(a+)+$"],
  ])("%s goes to RE2", (_what, pattern) => {
    expect(plainSteps(pattern)).toBeNull();
    expect(linearPattern(pattern)).not.toBeNull();
  });
});

describe("is not taken", () => {
  test.each([
    ["a look-ahead", "(?=a)b"],
    ["a negative look-ahead", "^(?!x).*$"],
    ["a look-behind", "(?<=a)b"],
    ["a negative look-behind", "(?<!a)b"],
    ["a back reference", "(a)\\1"],
    ["a named back reference", "(?<x>a)\\k<x>"],
    ["a script", "\\p{Script=Greek}"],
    ["a property that counts what is not assigned", "\\p{C}"],
    ["a group repeated more than 1,000 times", "^(a){1001}$"],
    ["repetitions that multiply", "((a{100}){100}){100}"],
  ])("%s", (_what, pattern) => {
    expect(() => new RegExp(pattern, "u")).not.toThrow();
    expect(linearPattern(pattern)).toBeNull();
  });

  test("what is no pattern at all, with the runtime's own words", () => {
    expect(() => linearPattern("a**")).toThrow(SyntaxError);
    expect(() => linearPattern("(?<a")).toThrow(SyntaxError);
  });
});
