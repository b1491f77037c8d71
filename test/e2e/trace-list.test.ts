// What `trace_list` tells callers of the original: how a function was called, and the call of the platform it waits in.

import { expect, setDefaultTimeout } from "bun:test";
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ApiClient, createClient, type Detail } from "../support/api-client.ts";
import { afterAll, beforeAll, test } from "../support/long.ts";
import { TEST_LIMIT_MS } from "../support/patience.ts";
import { type Program, startProgram } from "../support/program.ts";

const CODE = `import { defineJob } from "serendipity-job";

const never = () => new Promise(() => undefined);
class Simple {
  async handle(ctx) {
    await ctx.sleep(3_600_000); //@ handle
  }
  static async wait() {
    await never(); //@ wait
  }
}
const pause = (ctx) => ctx.sleep(3_600_001); //@ pause

const cases = {
  method: (ctx) => new Simple().handle(ctx),
  static: () => Simple.wait(),
  helper: async (ctx) => {
    await pause(ctx); //@ helper
  },
  fetch: async (ctx, url) => {
    await ctx.fetch(url); //@ fetch
  },
  floating: async (ctx) => {
    void ctx.sleep(3_600_000);
    await never(); //@ floating
  },
  many: async (ctx) => {
    await Promise.all(Array.from({ length: 50 }, () => ctx.sleep(3_600_000))); //@ many
  },
  spin: (ctx) => {
    void ctx.sleep(3_600_000);
    for (;;); //@ spin
  },
};
export default defineJob({ name: "cases", run: async ({ at, url }, ctx) => { await cases[at](ctx, url); } });
`;
const UNTRACED = CODE.replace('name: "cases"', 'name: "untraced", trace: "off"');
const IN_PROCESS = CODE.replace('name: "cases"', 'name: "in-process", isolation: "process"');

let jobsDir: string;
let program: Program;
let client: ApiClient;
const silent = Bun.serve({
  port: 0,
  hostname: "127.0.0.1",
  fetch: () => new Promise(() => undefined),
});

setDefaultTimeout(TEST_LIMIT_MS);

beforeAll(async () => {
  jobsDir = realpathSync(mkdtempSync(join(tmpdir(), "trace-list-")));
  writeFileSync(join(jobsDir, "cases.ts"), CODE);
  writeFileSync(join(jobsDir, "untraced.ts"), UNTRACED);
  writeFileSync(join(jobsDir, "in-process.ts"), IN_PROCESS);
  program = await startProgram({ env: { JOBS_DIR: jobsDir } });
  client = await createClient(program.url);
});
afterAll(async () => {
  await program.stop();
  await silent.stop(true);
  rmSync(jobsDir, { recursive: true });
});

const lineOf = (name: string) =>
  CODE.split("\n").findIndex((text) => text.endsWith(`//@ ${name}`)) + 1;

/** The frames of a job as soon as it is at the marked line, and what the detail says of the innermost. */
async function framesAt(mark: string, { job = "cases", at = mark } = {}) {
  const id = await client.createJob(job, { at, url: silent.url.href });
  const isThere = (detail: Detail) => detail.executed_function_line === lineOf(mark);
  const detail = await client.until(id, isThere);
  await client.post("/task/cancel", { id });
  const frames = JSON.parse(detail.trace_list) as readonly Record<string, unknown>[];
  return { frames, detail };
}

test.each(["cases", "in-process"])(
  "%s: a sleeping method is shown as the original showed it",
  async (job) => {
    const file = join(jobsDir, `${job}.ts`);
    const { frames, detail } = await framesAt("handle", { job, at: "method" });
    const line = lineOf("handle");
    expect(frames.slice(0, 2)).toEqual([
      { file, line, function: "sleep", args: [3_600_000] },
      { file, line, function: "handle", class: "Simple", type: "->" },
    ]);
    expect(frames.at(-1)).toEqual({ file, line: expect.any(Number), function: "run" });
    expect(detail).toMatchObject({
      state: "waiting",
      executed_file_name: file,
      executed_function_name: "sleep",
      executed_function_line: line,
    });
  },
);

test("a static method has its own type, and a wait that is no call of the platform has no frame", async () => {
  const { frames } = await framesAt("wait", { at: "static" });
  expect(frames[0]).toMatchObject({ function: "wait", class: "Simple", type: "::" });
});

test("a call is found through the helper that made it", async () => {
  const { frames } = await framesAt("helper");
  expect(frames[0]).toMatchObject({ line: lineOf("helper"), function: "sleep", args: [3_600_001] });
  expect(frames[1]).toMatchObject({ line: lineOf("helper"), function: "helper" });
});

test("other calls show none of their arguments", async () => {
  const { frames } = await framesAt("fetch");
  expect(frames[0]).toEqual({
    file: join(jobsDir, "cases.ts"),
    line: lineOf("fetch"),
    function: "fetch",
    args: [],
  });
});

test("without a live stack the newest call of ctx is shown", async () => {
  const { frames } = await framesAt("handle", { job: "untraced", at: "method" });
  expect(frames[0]).toMatchObject({ function: "sleep", args: [3_600_000] });
});

test.each(["floating", "spin"])("a call that nobody waits for is not shown: %s", async (mark) => {
  const { frames } = await framesAt(mark);
  expect(frames[0]).toMatchObject({ function: mark, line: lineOf(mark) });
  expect(frames[0]?.["args"]).toBeUndefined();
});

test("many calls at once are not taken for one", async () => {
  const { frames } = await framesAt("many");
  expect(frames[0]?.["args"]).toBeUndefined();
});
