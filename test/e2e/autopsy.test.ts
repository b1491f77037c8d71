// What is kept of attempts that did not end by themselves, through the whole program: receipts and autopsies.

import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { hashOf } from "../../src/job/excerpts.ts";
import {
  type ApiClient,
  createClient,
  type Detail,
  type FullAttempt,
  isEnded,
} from "../support/api-client.ts";
import { executorPid } from "../support/executor-pid.ts";
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
  if (how === "exit") process.exit(3);
  if (how === "block") spawnSync("sleep", ["30"]);
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
    await act(how); //@ run
  },
});
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

let jobsDir: string;
let program: Program;
let client: ApiClient;

setDefaultTimeout(60_000);

beforeAll(async () => {
  jobsDir = realpathSync(mkdtempSync(join(tmpdir(), "autopsy-")));
  for (const [name, text] of Object.entries(FILES)) writeFileSync(join(jobsDir, name), text);
  program = await startProgram({ env: { JOBS_DIR: jobsDir, LEASE_MS: "3000" } });
  client = await createClient(program.url);
});
afterAll(async () => {
  await program.stop();
  rmSync(jobsDir, { recursive: true });
});

describe("an attempt that is killed", () => {
  test("on a thread at its deadline keeps where, why, what it said and used, and what ran", async () => {
    const id = await client.createJob("on-thread", { how: "spin" }, { timeout: 900 });
    const [attempt] = await endedAttempts(id);
    expect(attempt).toMatchObject({ outcome: "timed_out", charged: true });
    const stack = ["grind", "act", "run"].map((name) =>
      expect.objectContaining({ function: name }),
    );
    expect(attempt?.receipt).toMatchObject({
      killed: true,
      method: "thread",
      reason: "timeout",
      by: "deadline",
      stack,
    });
    expect(Number(attempt?.receipt?.["latency_ms"])).toBeLessThan(250);
    expect(attempt?.autopsy).toMatchObject({
      why: { reason: "timeout", by: "deadline" },
      source: "live",
      state: "running",
      vars: { how: "spin", list: [{ apiToken: "[masked]" }] },
      output: "about to spin\n",
      executor: attempt?.service_id,
      runtime: "Bun",
      runtime_version: Bun.version,
      source_hash: hashOf(readFileSync(join(jobsDir, "on-thread.ts"))),
    });
    expect(attempt?.autopsy?.frames[0]?.source).toEqual(around("grind", "on-thread.ts"));
    expect(Number(attempt?.autopsy?.["cpu_ms"])).toBeGreaterThan(300);
    expect(Number(attempt?.autopsy?.["rss_bytes"])).toBeGreaterThan(1_000_000);
    expect(typesOf(attempt)).toEqual(["state", "watch", "log", "state"]);
    expect(JSON.stringify(attempt)).not.toContain("very secret");
  });

  test("in a process by a cancel gives the same receipt to the answer and to the attempt", async () => {
    const id = await client.createJob("in-process", { how: "spin" });
    await client.until(id, ({ vars }) => JSON.stringify(vars).includes("spin"));
    const { data } = await client.post("/task/cancel", { id });
    expect(data).toMatchObject({
      killed: true,
      method: "process",
      reason: "cancelled",
      by: "application",
    });
    const [attempt] = await endedAttempts(id);
    expect(attempt?.outcome).toBe("cancelled");
    expect(attempt?.receipt).toEqual(data);
    expect(attempt?.autopsy).toMatchObject({ why: { by: "application" }, vars: { how: "spin" } });
    expect(attempt?.autopsy?.output).toBe("about to spin\n");
    expect(attempt?.autopsy?.frames[0]?.source).toEqual(around("grind", "in-process.ts"));
  });

  test("because it ends its own process has crashed, by itself", async () => {
    const id = await client.createJob("on-thread", { how: "exit" });
    const [attempt] = await endedAttempts(id);
    expect(attempt).toMatchObject({ outcome: "crashed", receipt: { killed: true, by: "job" } });
    expect(attempt?.autopsy).toMatchObject({ why: { reason: "exit" }, vars: { how: "exit" } });
  });

  test("only with its executor proves that, and so does the one beside it", async () => {
    const beside = await client.createJob("on-thread", { how: "wait" });
    await client.until(beside, isSeen);
    const id = await client.createJob("on-thread", { how: "block" });
    await client.until(id, isSeen);
    const { data } = await client.post("/task/cancel", { id, waitMs: 20_000 });
    expect(data).toMatchObject({ killed: true, method: "executor", by: "application" });
    expect((await endedAttempts(id))[0]?.receipt).toEqual(data);
    await client.until(beside, ({ attempts }) => attempts.length === 2, 20_000);
    const [first] = await client.attempts(beside);
    await client.post("/task/cancel", { id: beside });
    expect(first).toMatchObject({ outcome: "interrupted", charged: false });
    expect(first?.receipt).toMatchObject({ killed: true, by: "executor", reason: "interrupted" });
    expect(first?.autopsy?.frames[0]).toMatchObject(marked("run", "on-thread.ts"));
  });
});

describe("an attempt that ends by itself", () => {
  test("has neither receipt nor autopsy", async () => {
    const id = await client.createJob("on-thread", { how: "throw" });
    const [attempt] = await endedAttempts(id);
    expect(attempt).toMatchObject({ outcome: "failed", receipt: null, autopsy: null });
  });
});

describe("a file that was edited since", () => {
  test("is not quoted: the lines are those that ran", async () => {
    const id = await client.createJob("on-thread", { how: "spin" });
    await client.until(id, ({ executed_function_name: name }) => name === "grind");
    const path = join(jobsDir, "on-thread.ts");
    const before = readFileSync(path, "utf8");
    writeFileSync(path, `// a line more\n${before.replaceAll("turns", "rounds")}`);
    try {
      await client.post("/task/cancel", { id });
      const [attempt] = await endedAttempts(id);
      expect(attempt?.autopsy?.frames[0]?.source).toEqual(around("grind", "on-thread.ts"));
      expect(attempt?.autopsy?.["source_hash"]).toBe(hashOf(Buffer.from(before)));
    } finally {
      writeFileSync(path, before);
    }
  });
});

describe("a checkpoint", () => {
  test("is told by the trace of a job that waits", async () => {
    const id = await client.createJob("on-thread", { how: "wait" });
    await client.until(id, ({ elapsed }) => elapsed > 2_500);
    await client.post("/task/cancel", { id });
    const [attempt] = await endedAttempts(id);
    const told = attempt?.autopsy?.events.filter(({ type }) => type === "checkpoint") ?? [];
    expect(told.map(({ data }) => data)).toEqual([
      { state: "waiting", place: { ...marked("run", "on-thread.ts"), function: "run" } },
    ]);
  });
});

describe("an attempt whose executor is killed", () => {
  test("is lost, with the vars of its last checkpoint and the proof", async () => {
    const id = await client.createJob("in-process", { how: "spin" });
    await client.until(id, ({ elapsed }) => elapsed > 2_500);
    const [running] = await client.attempts(id);
    process.kill(executorPid(program, running?.service_id ?? ""), "SIGKILL");
    await client.until(id, ({ attempts }) => attempts[0]?.outcome === "lost", 20_000);
    const [attempt] = await client.attempts(id);
    await client.post("/task/cancel", { id });
    expect(attempt).toMatchObject({ outcome: "lost", charged: false });
    expect(attempt?.receipt).toMatchObject({ killed: true, method: "executor", reason: "lost" });
    expect(attempt?.autopsy).toMatchObject({
      why: { reason: "lost", message: "its executor died", by: "executor" },
      vars: { how: "spin" },
      runtime: "Bun",
      source_hash: hashOf(readFileSync(join(jobsDir, "in-process.ts"))),
    });
    const ageMs = Number(attempt?.autopsy?.["checkpoint_age_ms"]);
    expect(ageMs).toBeGreaterThanOrEqual(0);
    expect(ageMs).toBeLessThan(10_000);
  });
});

describe("what an executor leaves on its machine", () => {
  const both = ["on-thread", "in-process"] as const;

  test.each(both)("names the line %s spun on when it was killed, and is removed", async (job) => {
    const id = await client.createJob(job, { how: "spin" });
    await client.until(id, ({ executed_function_name: name }) => name === "grind");
    const [running] = await client.attempts(id);
    process.kill(executorPid(program, running?.service_id ?? ""), "SIGKILL");
    await client.until(id, ({ attempts }) => attempts[0]?.outcome === "lost", 20_000);
    const [attempt] = await client.attempts(id);
    await client.post("/task/cancel", { id });
    expectSpinning(attempt, `${job}.ts`);
    expect(attempt?.receipt).toMatchObject({ killed: true, method: "executor" });
    await client.until(id, ({ status }) => status === "cancelled");
    expect(left()).not.toContain(running?.service_id ?? "");
  });

  test("is found by whoever reaps, when the main process is killed too", async () => {
    const id = await client.createJob("on-thread", { how: "spin" });
    await client.until(id, ({ executed_function_name: name }) => name === "grind");
    await program.kill9();
    await program.restart();
    await client.until(id, ({ attempts }) => attempts[0]?.outcome === "lost", 20_000);
    const [attempt] = await client.attempts(id);
    await client.post("/task/cancel", { id });
    expectSpinning(attempt, "on-thread.ts");
    expect(attempt?.receipt).toMatchObject({ killed: false, method: "none" });
  });

  test("is nothing when it ends as it should", async () => {
    const id = await client.createJob("on-thread", { how: "throw" });
    const [attempt] = await endedAttempts(id);
    expect(left()).toContain(attempt?.service_id ?? "");
    await program.terminate();
    expect(left()).not.toContain(attempt?.service_id ?? "");
  });
});

function left(): string[] {
  return readdirSync(join(program.folder, "data", "live"));
}

function expectSpinning(attempt: FullAttempt | undefined, file: string): void {
  expect(attempt?.autopsy).toMatchObject({
    source: "memory",
    age_ms: 0,
    state: "running",
    runtime: "Bun",
    source_hash: hashOf(readFileSync(join(jobsDir, file))),
  });
  const names = attempt?.autopsy?.frames.map((frame) => frame.function);
  expect(names).toEqual(["grind", "act", "run"]);
  expect(attempt?.autopsy?.frames[0]).toMatchObject({
    ...marked("grind", file),
    source: around("grind", file),
  });
}

async function endedAttempts(id: number): Promise<readonly FullAttempt[]> {
  await client.until(id, isEnded, 20_000);
  return client.attempts(id);
}

function isSeen({ status, vars }: Detail): boolean {
  return status === "running" && JSON.stringify(vars).includes("how");
}

function marked(name: string, file: string) {
  const lines = (FILES[file] ?? "").split("\n");
  return {
    file: join(jobsDir, file),
    line: lines.findIndex((it) => it.endsWith(`//@ ${name}`)) + 1,
  };
}

function around(name: string, file: string) {
  const { line } = marked(name, file);
  const lines = (FILES[file] ?? "").split("\n").slice(line - 3, line + 2);
  return { first: line - 2, lines };
}

function typesOf(attempt: FullAttempt | undefined): string[] {
  return attempt?.autopsy?.events.map(({ type }) => type) ?? [];
}
