// Does what the first pages of the README say as a newcomer would: by pasting its blocks, into each shell.

import { expect } from "bun:test";
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { eventually } from "../support/eventually.ts";
import { afterAll, beforeAll, describe, test } from "../support/long.ts";
import { type Program, startProgram } from "../support/program.ts";
import { whereThere } from "../support/where-there.ts";

const ROOT = new URL("../..", import.meta.url).pathname;
const README = readFileSync(join(ROOT, "README.md"), "utf8");
/** Of each how a terminal runs it, without what the person has set: an interactive zsh takes no comments. */
const SHELLS = [
  { shell: "sh", args: [] },
  { shell: "bash", args: ["--norc"] },
  { shell: "zsh", args: ["-f", "-i", "+m"] },
  { shell: "fish", args: ["--no-config"] },
] as const;
const NO_PROMPT = { PS1: "", PS2: "", PROMPT_EOL_MARK: "" };

test("no block of the README has a comment, which an interactive zsh takes for words", () => {
  const blocks = [...README.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].map(([, text = ""]) => text);
  expect(blocks.length).toBeGreaterThan(5);
  for (const block of blocks) expect(block).not.toMatch(/(^|\s)#/m);
});

describe("the README's blocks", () => {
  let program: Program;
  let jobsDir: string;
  beforeAll(async () => {
    jobsDir = mkdtempSync(join(tmpdir(), "readme-jobs-"));
    cpSync(join(ROOT, "src/jobs"), jobsDir, { recursive: true });
    program = await startProgram({ flags: ["--watch"], env: { JOBS_DIR: jobsDir } });
    await untilLogged("watching job files");
    writeFileSync(join(jobsDir, "greet.ts"), blocksOf("Write a job", "ts").join());
    await untilLogged('"jobs":["greet"]');
  });
  afterAll(async () => {
    await program.stop();
    rmSync(jobsDir, { recursive: true });
  });

  const untilLogged = (text: string) =>
    eventually(async () => (await program.log()).includes(text) || undefined);

  for (const { shell, args } of SHELLS) {
    whereThere(test, shell)(`create, show and kill both tasks in ${shell}`, async () => {
      const folder = join(program.folder, shell);
      mkdirSync(folder);
      const paste = (block = "") => {
        const input = block.replaceAll("http://127.0.0.1:9502", program.url);
        const settings = { cwd: folder, env: { ...process.env, ...NO_PROMPT }, input };
        const { stdout, stderr } = spawnSync(shell, args, { ...settings, encoding: "utf8" });
        expect(stderr.trim()).toBe("");
        const answers = stdout.trim().split(/\n+(?=\{"code")/);
        return answers.map((answer) => JSON.parse(answer));
      };

      const [application, ...first] = blocksOf("Your first task", "sh");
      expect(paste(application)).toMatchObject([{ code: 0, msg: "Ok!" }]);
      for (const [create, look, ...rest] of [first, blocksOf("Write a job", "sh")]) {
        expect(rest).toEqual([]);
        expect(paste(create)).toMatchObject([{ code: 0, msg: "ok!" }]);
        const target = /http:\S+\?taskNo=\w+/.exec(look ?? "")?.[0] ?? "";
        await untilRunning(target.replace("http://127.0.0.1:9502", program.url), folder);
        const [detail, killed] = paste(look);
        expect(detail.data).toMatchObject({ status: "running", vars: expect.anything() });
        expect(killed).toMatchObject({ msg: "Killed", data: { killed: true } });
      }
    });
  }
});

/** The fenced texts of one language below a heading. */
function blocksOf(heading: string, language: string): string[] {
  const section = README.split(/^## /m).find((text) => text.startsWith(`${heading}\n`)) ?? "";
  const fences = [...section.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)];
  return fences.flatMap(([, name, text = ""]) => (name === language ? [text] : []));
}

/** A person looks a moment later than a program does. */
async function untilRunning(detailUrl: string, folder: string): Promise<void> {
  const lines = readFileSync(join(folder, "demo.headers"), "utf8").trim().split("\n");
  const headers = Object.fromEntries(lines.map((line) => line.split(": ")));
  await eventually(async () => {
    const answer = await fetch(detailUrl, { headers });
    const { data } = (await answer.json()) as { data: { status: string; vars?: unknown } };
    return data.status === "running" ? (data.vars ?? undefined) : undefined;
  });
}
