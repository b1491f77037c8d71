// An operator that runs a method of the job (`valueOf` and the like) is a call: its line is noted, all the way out.
import { afterAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { instrument } from "../../src/live/rewrite/instrument.ts";
import { runForFrames } from "./run-snippet.ts";

const folder = mkdtempSync(join(tmpdir(), "conversions-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** `log` is called from the conversion, which a caller reaches on its sixth line, after a call on its second. */
const sourceOf = (method: string, code: string) => `
const box = { ${method} { log("converting"); for (let n = 0; n < 2; n += 1) log(n); return 3; } } as never as number;
function caller(price: number) {
  const names = ["b", "a"].sort();
  let found = names.length;
  if (found > 9) found = 1;
  found += 1;
  ${code}
  return found;
}
caller(box);
`;

const operators = [
  "if (price > 3) found += 1;",
  "found = price - 1;",
  "found = +price;",
  "while (price < 3) found += 1;",
  "found += price;",
  "if (price == 4) found = 2;",
  "switch (price * 2) { case 6: found = 2; }",
  "price++;",
];

/** They ask for a text, which `valueOf` does not give. */
const forTexts = [
  "found = names[price] === undefined ? 1 : 2;",
  ["names.push(`$", "{price}`);"].join(""),
];

const methods = ["valueOf()", "toString()", "[Symbol.toPrimitive]()"];

describe.each(methods)("a %s", (method) => {
  test.each(method === "valueOf()" ? operators : [...operators, ...forTexts])(
    "reached by %s",
    async (code) => {
      const source = sourceOf(method, code);
      for (const mode of ["lean", "full"] as const) {
        const { noted, real } = await runForFrames(folder, "conversion", { source, mode });
        expect(real.slice(0, 2)).toEqual([2, 8]);
        expect(noted.slice(0, 2)).toEqual([2, 8]);
      }
    },
  );
});

describe("costs nothing", () => {
  const codeOf = (source: string) =>
    instrument(source, { path: "/jobs/a.ts", fileNumber: 7, mode: "lean" }).code;
  const compare =
    "export function f(a: number, b: number) { const c = a * b; return a > b ? c : 1; }";

  test("where the file converts nothing", () => {
    expect(codeOf(compare)).toBe(compare);
  });

  test("where the conversion takes no time", () => {
    const price = "export class Price { cents = 1; valueOf() { return this.cents / 100; } }\n";
    expect(codeOf(price + compare)).toEndWith(compare);
  });
});
