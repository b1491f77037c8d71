// The program on Deno as a fresh clone has it, with the commands that README prints: `bun run test:deno`.

import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { execFileSync } from "node:child_process";
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createClient, isEnded } from "../support/api-client.ts";
import { findBinary } from "../support/find-binary.ts";
import { TEST_LIMIT_MS } from "../support/patience.ts";
import { startProgram } from "../support/program.ts";

const ROOT = new URL("../..", import.meta.url).pathname;
/** It imports a package that lies beside it. */
const JOB = `import { defineJob } from "serendipity-job";
import { seven } from "seven";
export default defineJob({ name: "seven", run: () => seven });
`;
const deno = findBinary("deno");
if (deno === undefined) throw new Error("no deno on the PATH: npm install -g deno@2");
const path = deno;

setDefaultTimeout(TEST_LIMIT_MS);

describe("a fresh clone on Deno", () => {
  let folder: string;
  let clone: string;
  let jobs: string;

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "first-start-"));
    clone = join(folder, "clone");
    jobs = join(folder, "jobs");
    copyProject(clone);
    writeJob(jobs);
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  test("starts as README says, runs a job with a package of its own, leaves no lock file", async () => {
    const before = readdirSync(clone);
    expect(printedCommands()).toEqual(["deno install --prod", "deno run -A src/main.ts start"]);
    execFileSync(path, ["install", "--prod"], { cwd: clone, stdio: "pipe" });
    const program = await startProgram({
      command: { path, args: ["run", "-A"] },
      main: join(clone, "src/main.ts"),
      env: { JOBS_DIR: jobs },
    });
    try {
      const client = await createClient(program.url);
      const id = await client.createJob("seven", {});
      const detail = await client.until(id, isEnded);
      expect(detail).toMatchObject({ status: "succeeded", result: 7 });
    } finally {
      await program.stop();
    }
    expect(readdirSync(clone).filter((name) => !before.includes(name))).toEqual(["node_modules"]);
  });
});

/** The first block below README's heading, by line. */
function printedCommands(): string[] {
  const readme = readFileSync(join(ROOT, "README.md"), "utf8");
  const block = /## Deno\n```sh\n([^`]*)```/.exec(readme)?.[1] ?? "";
  return block.trim().split("\n");
}

/** What git would clone if all of today's were committed. */
function copyProject(to: string): void {
  const list = ["ls-files", "--cached", "--others", "--exclude-standard"];
  const names = execFileSync("git", list, { cwd: ROOT, encoding: "utf8" }).trim().split("\n");
  for (const name of names) cpSync(join(ROOT, name), join(to, name));
}

function writeJob(folder: string): void {
  const home = join(folder, "node_modules/seven");
  mkdirSync(home, { recursive: true });
  writeFileSync(
    join(home, "package.json"),
    JSON.stringify({ name: "seven", type: "module", main: "index.js" }),
  );
  writeFileSync(join(home, "index.js"), "export const seven = 7;\n");
  writeFileSync(join(folder, "seven.ts"), JOB);
}
