// What becomes of the files of a JOBS_DIR, good and bad; the folders of these tests lie outside the project.
import { afterAll, expect } from "bun:test";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { AppError } from "../../src/core/errors.ts";
import { linearRetry } from "../../src/core/retry-policy.ts";
import { type CatalogueJob, loadCatalogue } from "../../src/job/catalogue.ts";
import { createJobProcess } from "../../src/job/host/job-process.ts";
import { createJobThread } from "../../src/job/host/job-thread.ts";
import { openTracing } from "../../src/live/tracing.ts";
import { claimed, silent } from "../support/claimed-task.ts";
import { describe, test } from "../support/long.ts";
import { finish, fixtureJobs, openLane } from "./attempts.ts";

const folders: string[] = [];
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true });
});

/** A folder with these files; a name may lie in a folder of its own. */
function jobsDir(files: Readonly<Record<string, string>>): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "jobs-")));
  folders.push(folder);
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(join(folder, name, ".."), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  return folder;
}

const spawn = () => createJobThread({});
const load = (folder: string) => loadCatalogue({ jobsDir: folder, spawn, logger: silent });

const namesOf = (jobs: readonly CatalogueJob[]) => jobs.map(({ definition }) => definition.name);

const HEAD = 'import { defineJob, Type } from "serendipity-job";\n';
const job = (fields: string) => `${HEAD}export default defineJob({ run: () => 1, ${fields} });\n`;

describe("a file that cannot be rewritten", () => {
  const folder = jobsDir({
    "good.ts": job('name: "good"'),
    "own.ts": `const __sjNote = 1;\n${job('name: "own", timeout: __sjNote')}`,
    "imports.ts": `import "./lib/old.js";\n${job('name: "imports"')}`,
    "off.ts": `import "./lib/old.js";\n${job('name: "off", trace: "off"')}`,
    "lib/old.js": "exports.name = __filename;\n",
  });
  const old = { file: join(folder, "lib/old.js"), note: "it is CommonJS" };
  const own = { file: join(folder, "own.ts"), note: "it uses names that begin with __sj" };
  const tracing = openTracing(undefined, silent);
  afterAll(() => tracing.close());

  test.each([
    ["thread", () => createJobThread({}, { sources: tracing.sources })],
    ["process", () => createJobProcess({ env: {}, tracing })],
  ])("is named in the row of each traced job it belongs to: %s", async (_, host) => {
    const options = { jobsDir: folder, spawn: host, logger: silent };
    const { jobs, badFiles } = await loadCatalogue(options);
    expect(badFiles).toEqual([]);
    const untraced = jobs.map(({ definition: { name, untraced: files } }) => [name, files]);
    expect(Object.fromEntries(untraced)).toEqual({
      good: [],
      imports: [old],
      off: [],
      own: [own],
    });
  });
});

describe("a catalogue", () => {
  test("holds all that a job says about itself", async () => {
    const text = job(
      'name: "full", aliases: ["\\\\Old\\\\Full"], timeout: 1000, retry: { step: 30, total: 3, strategy: "fixed", jitter: true }, isolation: "fresh", params: Type.Object({ n: Type.Integer({ minimum: 1 }), on: Type.Optional(Type.String()) })',
    );
    const folder = jobsDir({ "full.ts": text });
    const { jobs, badFiles, duplicates } = await load(folder);
    expect(badFiles).toEqual([]);
    expect(duplicates).toEqual([]);
    expect(jobs.map(({ definition }) => definition)).toEqual([
      {
        name: "full",
        aliases: ["\\Old\\Full"],
        params: {
          type: "object",
          required: ["n"],
          properties: { n: { type: "integer", minimum: 1 }, on: { type: "string" } },
        },
        timeoutMs: 1_000,
        retry: { ...linearRetry(30, 3), strategy: "fixed", jitter: true },
        isolation: "fresh",
        sourceHash: createHash("sha256").update(text).digest("hex"),
        untraced: [],
      },
    ]);
    expect(jobs[0]).toMatchObject({ file: join(folder, "full.ts"), trace: "lean", memoryMb: null });
  });

  test("fills in what a job leaves out", async () => {
    const { jobs } = await load(jobsDir({ "least.ts": job('name: "least"') }));
    expect(jobs[0]?.definition).toMatchObject({
      aliases: [],
      params: null,
      timeoutMs: null,
      retry: null,
      isolation: "warm",
    });
  });

  test("takes the job files directly in the folder and no others", async () => {
    const folder = jobsDir({
      "a.ts": job('name: "a"'),
      "b.tsx": job('name: "b"'),
      "c.js": job('name: "c"'),
      "d.mjs": job('name: "d"'),
      "e.mts": job('name: "e"'),
      ".hidden.ts": "throw 1",
      "types.d.ts": "throw 1",
      "types.d.mts": "throw 1",
      "a.test.ts": "throw 1",
      "notes.md": "throw 1",
      "data.json": "throw 1",
      "lib/helper.ts": "throw 1",
      "folder.ts/inside.ts": "throw 1",
    });
    const { jobs, badFiles } = await load(folder);
    expect(namesOf(jobs)).toEqual(["a", "b", "c", "d", "e"]);
    expect(badFiles).toEqual([]);
  });

  test("may be empty", async () => {
    expect(await load(jobsDir({}))).toMatchObject({ jobs: [], badFiles: [] });
  });

  test.each(["/no/such/folder", import.meta.path])("cannot be made of %s", async (path) => {
    const failure = await load(path).catch((thrown: unknown) => thrown);
    expect(failure).toBeInstanceOf(AppError);
    expect(failure).toMatchObject({ code: "configuration" });
    expect(String(failure)).toContain(path);
  });

  test("names both files of a name that is taken twice, also by an alias", async () => {
    const folder = jobsDir({
      "a.ts": job('name: "same"'),
      "b.ts": job('name: "other", aliases: ["same"]'),
      "c.ts": job('name: "third"'),
    });
    const { duplicates } = await load(folder);
    expect(duplicates).toEqual([
      { name: "same", files: [join(folder, "a.ts"), join(folder, "b.ts")] },
    ]);
  });
});

const param = (schema: string) => job(`name: "x", params: Type.Object({ when: ${schema} })`);

// biome-ignore format: a table is read by its columns
const bad: Readonly<Record<string, readonly [source: string, message: string]>> = {
  "spins":               ["while (Date.now() > 0) {}", "importing it took longer than 5 s"],
  "never-settles":       ["await new Promise(() => {});", "importing it took longer than 5 s"],
  "exits":               ["process.exit(0);", "ended its job worker (exit code 0)"],
  "throws":              ['throw new Error("broken at once");', "Error: broken at once"],
  "throws-later":        ['setTimeout(() => { throw new Error("broken soon") }); await new Promise(() => {});', "broken soon"],
  "syntax":              ["export default {", "cannot be imported"],
  "missing-import":      ['import "./no-such-file.ts";', "no-such-file.ts"],
  "no-default":          ["export const job = 1;", "no default export"],
  "not-a-job":           ['export default { name: "x", run() {} };', "was not made with defineJob"],
  "no-name":             [job(""), "name must be a text"],
  "empty-name":          [job('name: ""'), "name must be a text of 1–128 visible characters"],
  "spaced-name":         [job('name: " x"'), 'not " x"'],
  "control-name":        [job('name: "a\\nb"'), "name must be a text"],
  "long-name":           [job(`name: "${"x".repeat(129)}"`), "name must be a text"],
  "bad-alias":           [job('name: "x", aliases: ["ok", 5]'), "aliases[1] must be a text"],
  "repeated-alias":      [job('name: "x", aliases: ["x"]'), 'aliases[0] repeats "x"'],
  "no-run":              [`${HEAD}export default defineJob({ name: "x" } as never);`, "run must be a function"],
  "unknown-field":       [job('name: "x", timeoutMs: 5'), "knows no field 'timeoutMs'"],
  "timeout":             [job('name: "x", timeout: 0'), "timeout must be a whole number from 1 to 86400000"],
  "retry-step":          [job('name: "x", retry: { step: 3601, total: 1 }'), "retry.step must be"],
  "retry-half":          [job('name: "x", retry: { step: 5 }'), "retry needs both step and total"],
  "retry-field":         [job('name: "x", retry: { step: 5, total: 1, max: 3 }'), "retry knows no field 'max'"],
  "retry-strategy":      [job('name: "x", retry: { step: 5, total: 1, strategy: "cubic" } as never'), "retry.strategy must be one of linear, fixed, exponential"],
  "retry-jitter":        [job('name: "x", retry: { step: 5, total: 1, jitter: 1 } as never'), "retry.jitter must be true or false"],
  "retry-cap":           [job('name: "x", retry: { step: 5, total: 1, maxDelay: 86401 }'), "retry.maxDelay must be"],
  "trace":               [job('name: "x", trace: "some"'), "trace must be one of off, functions, lean, full"],
  "redact":              [job('name: "x", redact: ["ok", ""]'), "redact must be a list of at most 100 keys"],
  "memory-on-a-thread":  [job('name: "x", memoryMb: 256'), 'memoryMb needs isolation: "process"'],
  "memory-too-small":    [job('name: "x", isolation: "process", memoryMb: 5'), "memoryMb must be a whole number from 128"],
  "isolation":           [job('name: "x", isolation: "none"'), "isolation must be one of warm, fresh"],
  "params-text":         [job('name: "x", params: "text"'), "params must be a schema"],
  "params-date":         [param("Type.Date()"), "params.when is Type.Date()"],
  "params-function":     [param("Type.Function([], Type.Any())"), "params.when is Type.Function()"],
  "params-bytes":        [param("Type.Uint8Array()"), "params.when is Type.Uint8Array()"],
  "params-undefined":    [param("Type.Union([Type.String(), Type.Undefined()])"), "params.when is Type.Undefined()"],
  "params-bigint":       [param("Type.Array(Type.Object({ big: Type.BigInt() }))"), "params.when[].big is Type.BigInt()"],
  "params-symbol":       [param("Type.Symbol()"), "params.when is Type.Symbol()"],
  "params-transform":    [param("Type.Transform(Type.String()).Decode((v) => v).Encode((v) => v)"), "params.when is a transform"],
  "params-default":      [param("Type.String({ default: () => 1 })"), "params.when.default is a function"],
  "params-date-default": [param("Type.String({ default: new Date() })"), "params.when.default is no plain object"],
  "params-reference":    [param('Type.Ref("nowhere")'), "cannot be checked"],
  "params-async":        [job('name: "x", params: { $async: true, type: "object" } as never'), "a schema with $async cannot be used"],
};

describe("a bad job file", () => {
  const sources = Object.entries(bad).map(([name, [source]]) => [`${name}.ts`, source] as const);
  const folder = jobsDir({ ...Object.fromEntries(sources), "zz-good.ts": job('name: "good"') });
  const loading = load(folder);

  test.each(Object.entries(bad))(
    "is reported with what is wrong: %s",
    async (name, [, message]) => {
      const { badFiles } = await loading;
      const found = badFiles.find(({ file }) => basename(file) === `${name}.ts`);
      expect(found?.message ?? "not reported").toContain(message);
    },
  );

  test("does not stop the others", async () => {
    const { jobs, badFiles } = await loading;
    expect(namesOf(jobs)).toEqual(["good"]);
    expect(badFiles).toHaveLength(Object.keys(bad).length);
  });
});

describe("a JOBS_DIR outside the project", () => {
  test("gets the sdk, also in the files its jobs import", async () => {
    const folder = jobsDir({
      "job.ts": `${HEAD}import { fail } from "./lib/fail.ts";
        enum Colour { Red = 3 }
        export default defineJob({ name: "outside", params: Type.Object({ fail: Type.Boolean() }),
          run: ({ fail: doFail }) => (doFail ? fail() : Colour.Red) });`,
      "lib/fail.ts": `import { NonRetryableError } from "serendipity-job";
        export function fail(): never { throw new NonRetryableError("from lib"); }`,
    });
    const lane = await openLane({ jobsDir: folder });
    expect(lane.catalogue.badFiles).toEqual([]);
    const fine = await finish(lane.start(claimed("outside", { fail: false })));
    expect(fine.end.result).toBe("3");
    const failed = await finish(lane.start(claimed("outside", { fail: true })));
    expect(failed.end.error).toMatchObject({ message: "from lib", final: true });
  });

  test("may be reached over a link", async () => {
    const folder = jobsDir({ "job.ts": job('name: "linked"') });
    const link = `${folder}-link`;
    symlinkSync(folder, link);
    folders.push(link);
    expect((await load(link)).jobs).toHaveLength(1);
  });
});

test("the fixture jobs are all good", async () => {
  expect((await load(fixtureJobs)).badFiles).toEqual([]);
});
