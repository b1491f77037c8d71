// The tsconfig that docs/jobs.md prints gives job files in a folder elsewhere their types.

import { afterAll, beforeAll, expect, setDefaultTimeout } from "bun:test";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "../support/long.ts";
import { TEST_LIMIT_MS } from "../support/patience.ts";

const ROOT = new URL("../..", import.meta.url).pathname;
const TSC = join(ROOT, "node_modules/.bin/tsc");
const JOB = `import { defineJob, NonRetryableError, Type } from "serendipity-job";
export default defineJob({
  name: "greet",
  params: Type.Object({ who: Type.String() }),
  async run({ who }, ctx) {
    const text: TYPE = who;
    if (ctx.signal.aborted) throw new NonRetryableError("too late");
    const answer = await ctx.fetch("https://example.com/");
    return { text, status: answer.status };
  },
});
`;

setDefaultTimeout(TEST_LIMIT_MS);

describe("the tsconfig of docs/jobs.md", () => {
  let folder: string;

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "job-types-"));
    const page = readFileSync(join(ROOT, "docs/jobs.md"), "utf8");
    const recipe = /```json\n(\{\n {2}"compilerOptions"[\s\S]*?)```/.exec(page)?.[1] ?? "";
    writeFileSync(join(folder, "tsconfig.json"), recipe.replace("/opt/serendipity-job/", ROOT));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  function typeCheck(type: string): string {
    writeFileSync(join(folder, "greet.ts"), JOB.replace("TYPE", type));
    return spawnSync(TSC, ["-p", folder], { encoding: "utf8", cwd: folder }).stdout;
  }

  test("passes a right job under strict", () => {
    const config = readFileSync(join(folder, "tsconfig.json"), "utf8");
    expect(config).toContain('"strict": true');
    expect(config).toContain(`"${ROOT}src/sdk/index.ts"`);
    expect(typeCheck("string")).toBe("");
  });

  test("finds a wrong type of a param, and nothing else", () => {
    const told = typeCheck("number").trim().split("\n");
    expect(told).toHaveLength(1);
    expect(told[0]).toContain("greet.ts(6,11): error TS2322");
  });
});
