// Proves that the size figures count what they claim to count.
import { describe, expect, test } from "bun:test";
import { brokenLimits } from "./support/figures.ts";
import { functionSizes } from "./support/function-sizes.ts";
import { importCycles } from "./support/import-cycles.ts";
import { parseSource } from "./support/source-files.ts";

function body(lines: number): string {
  return Array.from({ length: lines }, (_, at) => `step(${at});`).join("\n");
}

function brokenIn(text: string): string[] {
  const files = [parseSource("src/a.ts", text)];
  const functions = [...files.flatMap(functionSizes), ...small];
  return brokenLimits({ folder: "src", files, functions, cycles: importCycles(files) });
}

/** Keeps the p95 of the small samples here below its limit. */
const small = Array.from({ length: 99 }, (_, at) => ({
  path: "src/small.ts",
  line: at,
  name: "small",
  lines: 5,
  ownLines: 5,
}));

describe("function sizes", () => {
  test("a function has the lines from its head to its closing brace", () => {
    const [size] = functionSizes(parseSource("src/a.ts", `\nfunction claim() {\n${body(3)}\n}`));
    expect(size).toEqual({ path: "src/a.ts", line: 2, name: "claim", lines: 5, ownLines: 5 });
  });

  test("own lines leave out all of an inner function but the line it begins on", () => {
    const text = `function createPool() {\nconst take = () => {\n${body(10)}\n};\nreturn { take };\n}`;
    expect(functionSizes(parseSource("src/a.ts", text))).toMatchObject([
      { name: "createPool", lines: 15, ownLines: 4 },
      { name: "take", lines: 12, ownLines: 12 },
    ]);
  });

  test.each([
    ["const claim = () => {};", "claim"],
    ["const store = { claim() {} };", "claim"],
    ["const store = { claim: async () => {} };", "claim"],
    ["class Store { claim() {} }", "claim"],
    ["class Store { claim = () => {}; }", "claim"],
    ["call(function claim() {});", "claim"],
    ["call(() => {});", "(anonymous)"],
  ])("%s is called %s", (text, name) => {
    expect(functionSizes(parseSource("src/a.ts", text)).map((size) => size.name)).toEqual([name]);
  });
});

describe("limits", () => {
  test("a function of 60 lines passes, one of 61 is named", () => {
    expect(brokenIn(`function claim() {\n${body(58)}\n}`)).toEqual([]);
    expect(brokenIn(`function claim() {\n${body(59)}\n}`)).toEqual([
      "src/a.ts:1 claim has 61 lines, limit 60",
    ]);
  });

  test("a createX closure may have 150 lines with its inner functions", () => {
    const inner = (lines: number) => `function take() {\n${body(lines)}\n}\n`;
    const closure = (last: number) =>
      `function createPool() {\n${inner(50)}${inner(50)}${inner(last)}}`;
    expect(brokenIn(closure(42))).toEqual([]);
    expect(brokenIn(closure(43))).toEqual([
      "src/a.ts:1 createPool has 151 lines, limit 150 for a closure",
    ]);
  });

  test("a createX closure may have 60 lines of its own", () => {
    const closure = `function createPool() {\n${body(58)}\nreturn () => {\n${body(20)}\n};\n}`;
    expect(brokenIn(closure)).toEqual(["src/a.ts:1 createPool has 61 own lines, limit 60"]);
  });

  test("a createX function without inner functions is an ordinary one", () => {
    expect(brokenIn(`function createTask() {\n${body(70)}\n}`)).toHaveLength(1);
  });

  test("a file of 300 lines passes, one of 301 is named", () => {
    expect(brokenIn(`${body(300)}\n`)).toEqual([]);
    expect(brokenIn(`${body(301)}\n`)).toEqual(["src/a.ts:1 has 301 lines, limit 300"]);
  });

  test("many functions of more than 35 lines break the p95", () => {
    const functions = small.map((size) => ({ ...size, lines: 36, ownLines: 36 }));
    const broken = brokenLimits({ folder: "src", files: [], functions, cycles: [] });
    expect(broken).toEqual(["src: p95 is 36 lines, limit 35"]);
  });
});

describe("import cycles", () => {
  test("a circle is found once, types included", () => {
    const files = [
      parseSource("src/a.ts", 'import "./b.ts";'),
      parseSource("src/b.ts", 'import type { C } from "./c.ts";'),
      parseSource("src/c.ts", 'export { a } from "./a.ts";'),
      parseSource("src/d.ts", 'import "./a.ts";'),
    ];
    expect(importCycles(files)).toEqual([["src/a.ts", "src/b.ts", "src/c.ts"]]);
  });
});
