// Runs all snippets as they are and instrumented, on either runtime, and prints as JSON which of them differ.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { runPlain, runWatched } from "./run-snippet.ts";
import { ODD_TEXTS, SNIPPETS } from "./snippets.ts";

const folder = mkdtempSync(join(tmpdir(), "semantics-"));
// What only Bun can parse says so in its name.
const snippets = Object.entries({ ...SNIPPETS, ...ODD_TEXTS }).filter(
  ([name]) => !name.endsWith("(Bun)"),
);
const wrong: unknown[] = [];
let compared = 0;
for (const [name, source] of snippets) {
  const plain = await runPlain(folder, name, source);
  for (const mode of ["functions", "lean", "full"] as const) {
    const { instrumented, wrongLines, left, ...seen } = await runWatched(folder, name, {
      source,
      mode,
    });
    const isLeft = left.depth !== 0 || left.frames !== 0;
    const isRight = isDeepStrictEqual(seen, plain) && plain.thrown === null && !isLeft;
    if (!isRight || wrongLines.length > 0)
      wrong.push({ name, mode, plain, seen, wrongLines, left });
    compared += 1;
  }
}
rmSync(folder, { recursive: true });
console.log(JSON.stringify({ compared, snippets: snippets.length, wrong }));
