// Proves that instrumented code does what it did before, and that the noted line is the true one while it does.
import { afterAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runPlain, runWatched } from "./run-snippet.ts";
import { ODD_TEXTS, SNIPPETS } from "./snippets.ts";

const folder = mkdtempSync(join(tmpdir(), "semantics-"));
afterAll(() => rmSync(folder, { recursive: true }));

const modes = ["functions", "lean", "full"] as const;
const snippets = Object.entries({ ...SNIPPETS, ...ODD_TEXTS });

describe.each(snippets)("%s", (name, source) => {
  test("runs as it is", async () => {
    const { thrown, logged } = await runPlain(folder, name, source);
    expect(thrown).toBeNull();
    expect(logged).not.toBeEmpty();
  });

  test.each(modes)(
    "does the same in mode %s, with true lines, and leaves nothing",
    async (mode) => {
      const plain = await runPlain(folder, name, source);
      const { instrumented, wrongLines, left, ...seen } = await runWatched(folder, name, {
        source,
        mode,
      });
      expect(instrumented.note).toBeUndefined();
      expect(instrumented.code).toContain("__sj");
      expect(seen).toEqual(plain);
      expect(wrongLines).toEqual([]);
      expect(left).toEqual({ depth: 0, frames: 0 });
    },
  );
});
