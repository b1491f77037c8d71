// `start --watch`: what becomes of jobs and tasks while their files are changed, through the whole program.

import { expect, setDefaultTimeout } from "bun:test";
import { mkdirSync, mkdtempSync, realpathSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ApiClient, createClient, isEnded } from "../support/api-client.ts";
import { eventually } from "../support/eventually.ts";
import { afterAll, beforeAll, describe, test } from "../support/long.ts";
import { TEST_LIMIT_MS } from "../support/patience.ts";
import { type Program, startProgram } from "../support/program.ts";

const HEAD = 'import { defineJob, Type } from "serendipity-job";\n';
const returning = (name: string, text: string, fields = "") =>
  `${HEAD}export default defineJob({ name: "${name}", ${fields} run: () => ${JSON.stringify(text)} });\n`;
const HELD = (text: string) => `${HEAD}export default defineJob({ name: "held", async run(_, ctx) {
  while (!(await Bun.file(process.env.GATE).exists())) await ctx.sleep(5);
  return ${JSON.stringify(text)};
} });\n`;

let folder: string;
let jobsDir: string;
let program: Program;
let client: ApiClient;

setDefaultTimeout(TEST_LIMIT_MS);

beforeAll(async () => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), "reload-")));
  jobsDir = join(folder, "jobs");
  mkdirSync(join(jobsDir, "lib"), { recursive: true });
  save("plain.ts", returning("plain", "old"));
  save("held.ts", HELD("old"));
  save("lib/word.ts", 'export const word = "old";\n');
  save(
    "shared.ts",
    `${HEAD}import { word } from "./lib/word.ts";\nexport default defineJob({ name: "shared", run: () => word });\n`,
  );
  program = await startProgram({
    flags: ["--watch"],
    env: { JOBS_DIR: jobsDir, GATE: join(folder, "gate") },
  });
  client = await createClient(program.url);
  await logged(/watching job files/);
});
afterAll(async () => {
  await program.stop();
  rmSync(folder, { recursive: true });
});

/** As editors do: another file takes the place of the old one. */
function save(name: string, text: string): void {
  writeFileSync(join(folder, "saving"), text);
  renameSync(join(folder, "saving"), join(jobsDir, name));
}

function logged(line: RegExp): Promise<string> {
  return eventually(async () => {
    const output = await program.log();
    return output.split("\n").find((text) => line.test(text));
  });
}

async function resultOf(job: string, params: object = {}): Promise<unknown> {
  const id = await client.createJob(job, params);
  return (await client.until(id, isEnded)).result;
}

/** Of new tasks, until one says so. */
function untilResult(job: string, result: string): Promise<unknown> {
  return eventually(async () => ((await resultOf(job)) === result ? true : undefined));
}

describe("while job files are watched", () => {
  test("a changed job serves new attempts, and one that runs ends on the old code", async () => {
    const held = await client.createJob("held", {});
    await client.until(held, ({ state }) => state === "waiting");
    save("held.ts", HELD("new"));
    save("plain.ts", returning("plain", "new"));
    await untilResult("plain", "new");
    expect((await client.detail(held)).status).toBe("running");
    writeFileSync(join(folder, "gate"), "");
    expect((await client.until(held, isEnded)).result).toBe("old");
    expect(await resultOf("held")).toBe("new");
  });

  test("a new file is a new job", async () => {
    save("fresh.ts", returning("fresh", "here"));
    await logged(/"jobs":\["fresh"\].*read again/);
    await untilResult("fresh", "here");
  });

  test("what a job imports is read again, too", async () => {
    expect(await resultOf("shared")).toBe("old");
    save("lib/word.ts", 'export const word = "new";\n');
    await untilResult("shared", "new");
  });

  test("a file that breaks is named with its place, its tasks wait, and run when it is mended", async () => {
    save("plain.ts", `${HEAD}export default defineJob({\n  name: "plain",\n  run: () => ),\n});\n`);
    await logged(/plain\.ts.*SyntaxError.*plain\.ts:4:14\)/);
    await logged(/"gone":\["plain"\]/);
    const id = await client.createJob("plain", {});
    expect((await client.detail(id)).status).toBe("queued");
    save("plain.ts", returning("plain", "mended"));
    expect((await client.until(id, isEnded)).result).toBe("mended");
  });

  test("waiting tasks that do not fit a changed schema are named with the field", async () => {
    const later = { runtime: Math.floor(Date.now() / 1000) + 3_600 };
    const id = await client.createJob("fresh", { to: 5 }, later);
    const fits = await client.createJob("fresh", { to: "you" }, later);
    save("fresh.ts", returning("fresh", "strict", "params: Type.Object({ to: Type.String() }),"));
    const line = await logged(new RegExp(`"task_id":${id},.*does not fit.*params\\.to`));
    expect(line).toContain('"job":"fresh"');
    expect(await program.log()).not.toContain(`"task_id":${fits},`);
  });

  test("of two files with one name, the one that was served stays", async () => {
    save("other.ts", returning("plain", "another"));
    await logged(/other\.ts.*left out|left out.*other\.ts/);
    expect(await resultOf("plain")).toBe("mended");
  });
});
