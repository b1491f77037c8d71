// The lines around a place, from the source as it ran.
import { afterAll, describe, expect, test } from "bun:test";
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { LoadedSource } from "../../src/job/wire/prepared-source.ts";
import { hashOf, readExcerpts } from "../../src/live/excerpts.ts";
import { openLiveSources } from "../../src/live/sources.ts";

const folder = realpathSync(mkdtempSync(join(tmpdir(), "excerpts-")));
afterAll(() => rmSync(folder, { recursive: true }));
const path = join(folder, "job.ts");

const SOURCE = `\uFEFFexport async function run(n: number) {\r
  const text = \`one
two \${await Promise.resolve(n)} three\`;
  for (const each of [1, 2].map((it) => it * n)) if (each > 2) await run(each - 2);
  return text; /* the end */
}
`;
const LINES = SOURCE.split(/\r?\n/);

const frame = (line: number) => ({ file: path, line, function: "run" });

describe("excerpts", () => {
  test("are five lines around, fewer at the ends of the file, once for each place", () => {
    writeFileSync(path, SOURCE);
    const source: LoadedSource = { path, hash: hashOf(Buffer.from(SOURCE)) };
    const frames = [frame(4), frame(1), frame(4), frame(7)];
    expect(readExcerpts(frames, () => source)).toEqual([
      { file: path, line: 4, first: 2, lines: LINES.slice(1, 6) },
      { file: path, line: 1, first: 1, lines: LINES.slice(0, 3) },
      { file: path, line: 7, first: 5, lines: LINES.slice(4, 7) },
    ]);
  });

  test("come from the rewritten copy when the file was edited, or is gone", async () => {
    writeFileSync(path, SOURCE);
    const sources = openLiveSources(join(folder, "cache"));
    const prepared = await sources.prepare(path, "full");
    if (prepared.kind !== "rewritten") throw new Error(prepared.note);
    const { copy, hash = "" } = prepared;
    rmSync(path);
    const [excerpt] = readExcerpts([frame(4)], () => ({ path, hash, copy }));
    expect(excerpt?.lines).toEqual(LINES.slice(1, 6));
    const top = readExcerpts([frame(2)], () => ({ path, hash, copy }));
    expect(top[0]?.lines).toEqual(LINES.slice(0, 4));
  });

  test("are none when only another text is left", () => {
    writeFileSync(path, `${SOURCE}// edited`);
    const source: LoadedSource = { path, hash: hashOf(Buffer.from(SOURCE)) };
    expect(readExcerpts([frame(4)], () => source)).toEqual([]);
    expect(readExcerpts([frame(4)], () => undefined)).toEqual([]);
  });

  test("show nothing in quotes on a line that names a secret", () => {
    const text = `const a = "shown";\nsend({ apiToken: 'hidden', "b": "it \\" is", c: \`hid\n`;
    writeFileSync(path, text);
    const source: LoadedSource = { path, hash: hashOf(Buffer.from(text)) };
    expect(readExcerpts([frame(1)], () => source)[0]?.lines).toEqual([
      'const a = "shown";',
      `send({ apiToken: '[masked]', "[masked]": "[masked]", c: \`[masked]\``,
      "",
    ]);
  });

  test("are read for the ten innermost frames, and long lines are cut", () => {
    const long = Array.from({ length: 30 }, (_, index) => `${index} ${"x".repeat(400)}`).join("\n");
    writeFileSync(path, long);
    const source: LoadedSource = { path, hash: hashOf(Buffer.from(long)) };
    const frames = Array.from({ length: 30 }, (_, index) => frame(index + 1));
    const excerpts = readExcerpts(frames, () => source);
    expect(excerpts).toHaveLength(10);
    expect(excerpts[5]?.lines[0]).toHaveLength(240);
  });
});
