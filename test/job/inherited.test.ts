// What a successor serves before it has imported anything, and what the imports beside make of it.
import { afterAll, expect } from "bun:test";
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type CatalogueJob, loadCatalogue, type ReadJobFiles } from "../../src/job/catalogue.ts";
import { createJobThread } from "../../src/job/host/job-thread.ts";
import { importBeside, inheritCatalogue } from "../../src/job/inherited.ts";
import { createJobLane } from "../../src/job/job-lane.ts";
import { claimed, silent } from "../support/claimed-task.ts";
import { describe, test } from "../support/long.ts";

const folders: string[] = [];
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true });
});

const options = { spawn: () => createJobThread({}), logger: silent };
const HEAD = 'import { defineJob } from "serendipity-job";\n';
const job = (fields: string) => `${HEAD}export default defineJob({ run: () => 1, ${fields} });\n`;

type Files = Readonly<Record<string, string>>;

function put(folder: string, files: Files): void {
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
}

/** A folder with these files, and what an executor found in it that has died since. */
async function predecessor(files: Files) {
  const jobsDir = realpathSync(mkdtempSync(join(tmpdir(), "jobs-")));
  folders.push(jobsDir);
  put(jobsDir, files);
  const { jobs } = await loadCatalogue({ jobsDir, ...options });
  // As it comes over two process borders.
  return { jobsDir, jobs: JSON.parse(JSON.stringify(jobs)) as readonly CatalogueJob[] };
}

const namesOf = (jobs: readonly CatalogueJob[]) => jobs.map(({ definition }) => definition.name);

async function importsOf(jobsDir: string, jobs: readonly CatalogueJob[]): Promise<ReadJobFiles[]> {
  const told: ReadJobFiles[] = [];
  const inherited = await inheritCatalogue(jobsDir, jobs);
  await importBeside(inherited, options, (found) => told.push(found));
  return told;
}

describe("inheriting", () => {
  test("takes over the jobs of unchanged files; changed and new ones are left to an import", async () => {
    const { jobsDir, jobs } = await predecessor({
      "a.ts": job('name: "a"'),
      "b.ts": job('name: "b"'),
      "c.ts": job('name: "c"'),
    });
    put(jobsDir, { "b.ts": job('name: "b", timeout: 5'), "d.ts": job('name: "d"') });
    rmSync(join(jobsDir, "c.ts"));
    const inherited = await inheritCatalogue(jobsDir, jobs);
    expect(inherited.jobs).toEqual(jobs.filter(({ definition }) => definition.name === "a"));
    expect(inherited.changed).toEqual([join(jobsDir, "b.ts"), join(jobsDir, "d.ts")]);
  });

  test("cannot be done from a folder that is gone", async () => {
    const failure = await inheritCatalogue("/no/such/folder", []).catch((thrown) => thrown);
    expect(failure).toMatchObject({ code: "configuration" });
  });
});

describe("imports beside", () => {
  test("tell the changed files first, then what the unchanged ones have become through theirs", async () => {
    const { jobsDir, jobs } = await predecessor({
      "lib.json": "[5]",
      "a.ts": `import limits from "./lib.json";\n${job('name: "a", timeout: limits[0]')}`,
      "b.ts": job('name: "b"'),
    });
    put(jobsDir, { "lib.json": "[7]", "b.ts": job('name: "b2"') });
    const told = await importsOf(jobsDir, jobs);
    expect(told.map((found) => namesOf(found.jobs))).toEqual([
      ["a", "b2"],
      ["a", "b2"],
    ]);
    expect(told.map(({ jobs: [a] }) => a?.definition.timeoutMs)).toEqual([5, 7]);
  });

  test("tell the same when nothing has changed", async () => {
    const { jobsDir, jobs } = await predecessor({ "a.ts": job('name: "a"') });
    const [told, ...more] = await importsOf(jobsDir, jobs);
    expect(JSON.parse(JSON.stringify(told))).toEqual({ jobs, badFiles: [] });
    expect(more).toEqual([]);
  });

  test("leave a name with the file it was served from, and give it to nobody else", async () => {
    const { jobsDir, jobs } = await predecessor({ "b.ts": job('name: "same"') });
    put(jobsDir, {
      "a.ts": job('name: "same"'),
      "x.ts": job('name: "x", aliases: ["both"]'),
      "y.ts": job('name: "both"'),
      "z.ts": job('name: "z"'),
    });
    const told = await importsOf(jobsDir, jobs);
    for (const found of told) expect(namesOf(found.jobs).toSorted()).toEqual(["same", "z"]);
    const last = told.at(-1);
    expect(last?.jobs.find(({ definition }) => definition.name === "same")?.file).toEndWith("b.ts");
    expect(last?.badFiles.map(({ file }) => file.slice(-4)).toSorted()).toEqual([
      "a.ts",
      "x.ts",
      "y.ts",
    ]);
    expect(last?.badFiles[0]?.message).toBe(
      `${join(jobsDir, "b.ts")} has the name or alias "same" too`,
    );
  });
});

test("an inheriting lane runs a job at once, and a new one after its imports", async () => {
  const { jobsDir, jobs } = await predecessor({ "a.ts": job('name: "a"') });
  put(jobsDir, { "b.ts": job('name: "b"'), "bad.ts": "throw 1" });
  const lane = await createJobLane({ jobsDir, slots: 2, logger: silent, inherited: jobs });
  expect(lane.jobs).toEqual(["a"]);
  expect(await lane.start(claimed("a", {})).ended).toMatchObject({ outcome: "succeeded" });
  expect(await lane.start(claimed("b", {})).ended).toMatchObject({ outcome: "interrupted" });
  const bad: string[] = [];
  await lane.importAll(({ badFiles }) => bad.push(...badFiles.map(({ file }) => file)));
  expect(lane.jobs).toEqual(["a", "b"]);
  expect(new Set(bad)).toEqual(new Set([join(jobsDir, "bad.ts")]));
  expect(await lane.start(claimed("b", {})).ended).toMatchObject({ outcome: "succeeded" });
  expect(await lane.start(claimed("a", {})).ended).toMatchObject({ outcome: "succeeded" });
  await lane.close();
});
