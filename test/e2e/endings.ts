// A program with jobs that end in every way, and what autopsies must say of them.
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ApiClient, createClient, type FullAttempt, isEnded } from "../support/api-client.ts";
import { type Program, startProgram } from "../support/program.ts";

/** Lines that autopsies are to name are marked with `//@ name`. */
const ENDINGS = `import { defineJob } from "serendipity-job";
import { spawnSync } from "node:child_process";

function grind() {
  let turns = 0;
  for (;;) { //@ grind
    turns += 1;
  }
}

function act(how) {
  if (how === "spin") grind();
  if (how === "exit") process.exit(3); //@ exit
  // Without the mark in its environment it is not killed with the thread.
  if (how === "block") spawnSync("/bin/sleep", ["30"], { env: {} });
  if (how === "throw") throw new Error("no");
  return new Promise(() => undefined);
}
`;
const FILES: Readonly<Record<string, string>> = {
  "on-thread.ts": `${ENDINGS}
export default defineJob({
  name: "on-thread",
  async run({ how }, ctx) {
    ctx.watch({ how, list: [{ apiToken: "very secret" }] });
    console.log("about to", how);
    if (how === "sleep") await ctx.sleep(60_000); //@ sleep
    await act(how); //@ run
  },
});
`,
  "edited.ts": `${ENDINGS}
export default defineJob({ name: "edited", run: ({ how }) => act(how) });
`,
  "in-process.ts": `${ENDINGS}
export default defineJob({
  name: "in-process",
  isolation: "process",
  async run({ how }, ctx) {
    ctx.watch({ how });
    ctx.log("about to " + how);
    await act(how);
  },
});
`,
};

export interface EndingWorld {
  readonly jobsDir: string;
  readonly program: Program;
  readonly client: ApiClient;
  /** The attempts of a task, once it has ended. */
  endedAttempts(id: number): Promise<readonly FullAttempt[]>;
  /** Where a file says `//@ name`. */
  marked(name: string, file: string): { readonly file: string; readonly line: number };
  /** The lines around that, as an autopsy quotes them. */
  around(name: string, file: string): { readonly first: number; readonly lines: string[] };
  close(): Promise<void>;
}

/** Checkpoints come every second. */
export async function openEndings(): Promise<EndingWorld> {
  const jobsDir = realpathSync(mkdtempSync(join(tmpdir(), "autopsy-")));
  for (const [name, text] of Object.entries(FILES)) writeFileSync(join(jobsDir, name), text);
  const program = await startProgram({ env: { JOBS_DIR: jobsDir, LEASE_MS: "3000" } });
  const client = await createClient(program.url);
  const linesOf = (file: string) => (FILES[file] ?? "").split("\n");
  const lineOf = (name: string, file: string) =>
    linesOf(file).findIndex((text) => text.endsWith(`//@ ${name}`)) + 1;
  return {
    jobsDir,
    program,
    client,
    async endedAttempts(id) {
      await client.until(id, isEnded);
      return client.attempts(id);
    },
    marked: (name, file) => ({ file: join(jobsDir, file), line: lineOf(name, file) }),
    around(name, file) {
      const line = lineOf(name, file);
      return { first: line - 2, lines: linesOf(file).slice(line - 3, line + 2) };
    },
    async close() {
      await program.stop();
      rmSync(jobsDir, { recursive: true });
    },
  };
}
