// The memory of what was worked out, and the bound it keeps.
import { expect, test } from "bun:test";
import { ClearedWhenFull, remember } from "../../src/core/remember.ts";

function createLength(most: number) {
  const loaded: string[] = [];
  const lengthOf = remember((text: string) => {
    loaded.push(text);
    if (text === "") throw new Error("no text");
    return text.length;
  }, most);
  return { loaded, lengthOf };
}

test("loads each key once, as long as there is room", () => {
  const { loaded, lengthOf } = createLength(2);
  expect(["a", "bb", "a", "bb", "a"].map((text) => lengthOf(text))).toEqual([1, 2, 1, 2, 1]);
  expect(loaded).toEqual(["a", "bb"]);
});

test("forgets everything for a key that there is no room for", () => {
  const { loaded, lengthOf } = createLength(2);
  for (const text of ["a", "bb", "ccc", "ccc", "a"]) lengthOf(text);
  expect(loaded).toEqual(["a", "bb", "ccc", "a"]);
});

test("forgets everything when it is told to", () => {
  const { loaded, lengthOf } = createLength(2);
  lengthOf("a");
  lengthOf.forgetAll();
  lengthOf("a");
  expect(loaded).toEqual(["a", "a"]);
});

test("does not remember what failed", () => {
  const { loaded, lengthOf } = createLength(2);
  expect(() => lengthOf("")).toThrow("no text");
  expect(() => lengthOf("")).toThrow("no text");
  expect(loaded).toEqual(["", ""]);
});

test("passes on what a key needs to be loaded, and asks for it once", () => {
  const joined = remember((key: string, given: string) => key + given, 2);
  expect([joined("a", "1"), joined("a", "2")]).toEqual(["a1", "a1"]);
});

test("a full map keeps its keys while they get new values", () => {
  const map = new ClearedWhenFull<string, number>(2);
  map.set("a", 1).set("b", 2).set("a", 3);
  expect([...map]).toEqual([
    ["a", 3],
    ["b", 2],
  ]);
  expect([...map.set("c", 4)]).toEqual([["c", 4]]);
});
