// The line a running job is in, as its detail tells it, through the whole program: while it spins and while it waits.

import { expect, setDefaultTimeout } from "bun:test";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ApiClient, createClient, type Detail, isEnded } from "../support/api-client.ts";
import { afterAll, beforeAll, test } from "../support/long.ts";
import { TEST_LIMIT_MS } from "../support/patience.ts";
import { type Program, startProgram } from "../support/program.ts";

/** Lines that details are to name are marked with `//@ name`. */
const FILES: Readonly<Record<string, string>> = {
  "places.ts": `import { defineJob } from "serendipity-job";
import { prepare, never } from "./lib/spinning.ts";

async function one() {
  await never(); //@ one
}
async function two() {
  await never(); //@ two
}

export default defineJob({
  name: "places",
  async run({ at }, ctx) {
    if (at === "spin") prepare(5);
    if (at === "microtasks") for (;;) await null; //@ run
    if (at === "sleep") {
      ctx.log("here");
      await ctx.sleep(1);
      await one();
    }
    if (at === "all") await Promise.all([one(), one(), two()]);
  },
});
`,
  "lib/spinning.ts": `export function never(): Promise<never> { return new Promise(() => undefined); }

export function prepare(start: number) {
  function grind() {
    let n = start;
    for (;;) { //@ grind
      n += 1;
    }
  }
  grind();
}
`,
  "full.ts": `import { defineJob } from "serendipity-job";
import { prepare } from "./lib/spinning.ts";

export default defineJob({ name: "full", trace: "full", run: () => prepare(5) });
`,
  "untraced.ts": `import { defineJob } from "serendipity-job";

export default defineJob({
  name: "untraced",
  trace: "off",
  async run(_, ctx) {
    ctx.log("the last call"); //@ untraced
    for (;;);
  },
});
`,
};

let jobsDir: string;
let program: Program;
let client: ApiClient;

setDefaultTimeout(TEST_LIMIT_MS);

beforeAll(async () => {
  jobsDir = realpathSync(mkdtempSync(join(tmpdir(), "live-line-")));
  mkdirSync(join(jobsDir, "lib"));
  for (const [name, text] of Object.entries(FILES)) writeFileSync(join(jobsDir, name), text);
  program = await startProgram({ env: { JOBS_DIR: jobsDir } });
  client = await createClient(program.url);
});
afterAll(async () => {
  await program.stop();
  rmSync(jobsDir, { recursive: true });
});

test("a job that spins in a nested function of an imported file is seen on its line", async () => {
  const id = await client.createJob("places", { at: "spin" });
  const detail = await client.until(id, isInRun);
  expect(detail).toMatchObject({ state: "running", source: "live" });
  expect(place(detail)).toEqual(marked("grind", "lib/spinning.ts"));
  expect(functionsOf(detail)).toEqual(["grind", "run"]);
  await cancel(id);
  const ended = await client.until(id, isEnded);
  expect(place(ended)).toEqual(marked("grind", "lib/spinning.ts"));
});

test("a job with trace full shows small functions, too", async () => {
  const id = await client.createJob("full", {});
  const detail = await client.until(id, isInRun);
  await cancel(id);
  expect(functionsOf(detail)).toEqual(["grind", "prepare", "run"]);
});

test("a job that spins is seen on its line however often it is asked", async () => {
  const id = await client.createJob("places", { at: "spin" });
  await client.until(id, isInRun);
  for (let at = 0; at < 20; at++) {
    expect(place(await client.detail(id))).toEqual(marked("grind", "lib/spinning.ts"));
  }
  await cancel(id);
});

test("a job that awaits is seen waiting on the line of its await, and after its end too", async () => {
  const id = await client.createJob("places", { at: "sleep" });
  const detail = await client.until(id, (seen) => seen.executed_function_name === "one");
  expect(detail).toMatchObject({ state: "waiting", source: "live", waiting_points: [] });
  expect(place(detail)).toEqual(marked("one", "places.ts"));
  expect(functionsOf(detail)).toEqual(["one", "run"]);
  await cancel(id);
  expect(place(await client.until(id, isEnded))).toEqual(marked("one", "places.ts"));
});

test("a job that only ever awaits what is there runs, and is seen on its line", async () => {
  const id = await client.createJob("places", { at: "microtasks" });
  const detail = await client.until(id, isInRun);
  await cancel(id);
  expect(detail.state).toBe("running");
  expect(place(detail)).toEqual(marked("run", "places.ts"));
});

test("Promise.all shows each place it waits at, with how many wait there", async () => {
  const id = await client.createJob("places", { at: "all" });
  const { state, waiting_points } = await client.until(id, isInRun);
  await cancel(id);
  expect(state).toBe("waiting");
  const seen = waiting_points.map(({ count, frames }) => [count, frames[0]?.line]);
  expect(seen).toEqual([
    [2, marked("one", "places.ts").line],
    [1, marked("two", "places.ts").line],
  ]);
});

test("a job with trace off is seen at its last call of ctx", async () => {
  const id = await client.createJob("untraced", {});
  const detail = await client.until(id, isInRun);
  await cancel(id);
  const { file, line } = marked("untraced", "untraced.ts");
  expect(place(detail)).toEqual({ file, line, function: "run" });
});

/** Before, where the import of its file is may be shown. */
function isInRun({ status, executed_function_name: name }: Detail): boolean {
  return status === "running" && name !== null && name !== "(module)";
}

function place(detail: Detail) {
  return {
    file: detail.executed_file_name,
    line: detail.executed_function_line,
    function: detail.executed_function_name,
  };
}

function marked(name: string, file: string) {
  const lines = (FILES[file] ?? "").split("\n");
  const line = lines.findIndex((text) => text.endsWith(`//@ ${name}`)) + 1;
  return { file: join(jobsDir, file), line, function: name };
}

function functionsOf({ trace_list }: Detail): string[] {
  const frames = JSON.parse(trace_list) as readonly { readonly function: string }[];
  return frames.map((frame) => frame.function);
}

async function cancel(id: number): Promise<void> {
  expect(await client.post("/task/cancel", { id })).toMatchObject({ code: 0 });
}
