// Where a bad job file is wrong, as the catalogue says it: file, line and column of what the author wrote.
import { afterAll, expect } from "bun:test";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadCatalogue } from "../../src/job/catalogue.ts";
import { createJobProcess } from "../../src/job/host/job-process.ts";
import { createJobThread } from "../../src/job/host/job-thread.ts";
import { openTracing } from "../../src/live/tracing.ts";
import { silent } from "../support/claimed-task.ts";
import { describe, test } from "../support/long.ts";

const HEAD = 'import { defineJob, Type } from "serendipity-job";\n';

/** ⇨ stands before the place that is to be told. */
const FILES: Readonly<Record<string, readonly [text: string, message: string]>> = {
  "syntax.ts": [
    `${HEAD}\nexport default defineJob({ name: "a", run() { const x = ⇨; } });`,
    "SyntaxError",
  ],
  "throws.ts": [
    `${HEAD}\nfor (const n of [1, 2]) { if (n > 1) { throw new ⇨RangeError("no"); } }`,
    "RangeError: no",
  ],
  "missing.ts": [`${HEAD}import { a } from ⇨"./lib/absent.ts";\nexport default a;`, "absent.ts"],
  "no-export.ts": [
    `${HEAD}import { ⇨nothing } from "./lib/there.ts";\nexport default nothing;`,
    "'nothing'",
  ],
  "unknown.ts": [
    `${HEAD}export default defineJob({ name: "u", ⇨timeOut: 1, run: () => 1 });`,
    "did you mean 'timeout'",
  ],
  "range.ts": [
    `${HEAD}export default defineJob({\n  name: "r",\n  ⇨timeout: -1,\n  run: () => 1,\n});`,
    "timeout must be",
  ],
  "other-library.ts": [
    `${HEAD}import { z } from ${JSON.stringify(Bun.resolveSync("zod", import.meta.dir))};
export default defineJob({
  name: "z",
  ⇨params: z.object({ who: z.string() }),
  run: () => 1,
});`,
    "job 'z': params is a schema of zod, which the catalogue cannot store; use Type.Object from serendipity-job",
  ],
  "no-default.ts": ["export const job = 1;", "no default export"],
  "helper.ts": [`${HEAD}import "./lib/broken.ts";`, "SyntaxError"],
  "lib/there.ts": ["export const there = 1;", ""],
  "lib/broken.ts": ["export const fine = 1;\nexport function f(⇨{ return 1 }", ""],
};
/** Each engine finds the first thing that makes no sense elsewhere in these; of these only the line is compared. */
const LINE_ONLY = ["helper.ts"];

const folder = realpathSync(mkdtempSync(join(tmpdir(), "places-")));
mkdirSync(join(folder, "lib"));
for (const [name, [text]] of Object.entries(FILES)) {
  writeFileSync(join(folder, name), text.replace("⇨", ""));
}
const tracing = openTracing(undefined, silent);
afterAll(() => {
  tracing.close();
  rmSync(folder, { recursive: true });
});

/** FILE:LINE:COLUMN of the mark. */
function markedIn(name: string): string {
  const [text = ""] = FILES[name] ?? [];
  const before = text.slice(0, Math.max(0, text.indexOf("⇨"))).split("\n");
  return `${join(folder, name)}:${before.length}:${(before.at(-1)?.length ?? 0) + 1}`;
}

describe.each([
  ["thread", () => createJobThread({}, { sources: tracing.sources })],
  ["process", () => createJobProcess({ env: {}, tracing })],
])("a bad job file, imported in a %s", (_, spawn) => {
  const loading = loadCatalogue({ jobsDir: folder, spawn, logger: silent });

  test.each(Object.keys(FILES).filter((name) => !name.includes("/")))("%s", async (name) => {
    const { badFiles } = await loading;
    const { message = "" } = badFiles.find(({ file }) => file === join(folder, name)) ?? {};
    const place = markedIn(name === "helper.ts" ? "lib/broken.ts" : name);
    const told = LINE_ONLY.includes(name) ? place.replace(/\d+$/, "") : `${place})`;
    expect(message).toContain(`(${told}`);
    expect(message).toContain(FILES[name]?.[1] ?? "");
  });
});
