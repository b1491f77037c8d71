// Holds exported names to one meaning each: a reader of a name need not ask which of two it is.
import { expect, test } from "bun:test";
import { readSourceFiles } from "./support/source-files.ts";

const EXPORTED =
  /^export (?:declare )?(?:async )?(?:const|let|function\*?|class|interface|type) (\w+)/gm;
/** One interface, implemented once per runtime or database under the same names. */
const TWINS = [["src/job/inside/loader-bun.ts", "src/job/inside/loader-hooks.ts"]];

test("an exported name is exported by one file", () => {
  const homes = new Map<string, string[]>();
  for (const { path, text } of readSourceFiles("src")) {
    for (const [, name = ""] of text.matchAll(EXPORTED)) {
      homes.set(name, [...(homes.get(name) ?? []), path]);
    }
  }
  expect(homes.size).toBeGreaterThan(500);
  const shared = [...homes].filter(([, paths]) => paths.length > 1);
  const twins = TWINS.map((paths) => paths.join());
  expect(shared.filter(([, paths]) => !twins.includes(paths.join()))).toEqual([]);
});
