// The program on Deno, embedded: `bun run test:deno` (not part of the default suite, because it needs Deno).

import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ApiClient, createClient, type Detail, isEnded } from "../support/api-client.ts";
import { openStream } from "../support/event-stream.ts";
import { eventually } from "../support/eventually.ts";
import { findBinary } from "../support/find-binary.ts";
import { TEST_LIMIT_MS } from "../support/patience.ts";
import { type Program, startProgram } from "../support/program.ts";

const JOBS_DIR = new URL("../jobs", import.meta.url).pathname;
const ACTIONS = readFileSync(`${JOBS_DIR}/action.ts`, "utf8");
/** It waits at its line 7. */
const WAITING = `import { defineJob } from "serendipity-job";
export default defineJob({
  name: "waiting",
  isolation: "warm",
  async run(_, ctx) {
    await ctx.sleep(1);
    await new Promise(() => undefined);
  },
});
`;
/** Its pattern cannot be checked before its job worker does; its number comes by a `require`. */
const AHEAD = `import { createRequire } from "node:module";
import { defineJob, Type } from "serendipity-job";
export default defineJob({
  name: "ahead",
  params: Type.Object({ a: Type.String({ pattern: "^(?=(a+)+b)" }) }),
  run: () => createRequire(import.meta.url)("./numbers.json").one,
});
`;
const deno = findBinary("deno");
if (deno === undefined) throw new Error("no deno on the PATH: npm install -g deno@2");
const command = { path: deno, args: ["run", "-A"] };

setDefaultTimeout(TEST_LIMIT_MS);

describe("on Deno", () => {
  let program: Program;
  let client: ApiClient;
  let receiver: Server;

  beforeAll(async () => {
    receiver = createServer((_, response) => response.end("success"));
    await new Promise<void>((resolve) => receiver.listen(0, "127.0.0.1", resolve));
    const linkUrl = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/`;
    program = await startProgram({ command, env: { JOBS_DIR } });
    client = await createClient(program.url, { linkUrl });
  });
  afterAll(async () => {
    await program.stop();
    receiver.close();
  });

  test("a job runs and keeps its result", async () => {
    const id = await client.createJob("action", { do: "return", value: { answer: 42 } });
    const detail = await client.until(id, isEnded);
    expect(detail).toMatchObject({ status: "succeeded", result: { answer: 42 } });
  });

  test("the detail of a job that runs in a process shows the line it waits at", async () => {
    const id = await client.createJob("action", { do: "sleep-twice-and-wait" }, { timeout: 3000 });
    const waits = ({ round, state }: Detail) => round >= 2 && state === "waiting";
    const detail = await client.until(id, waits);
    expect(detail).toMatchObject({ status: "running", source: "live" });
    expect(detail.executed_file_name).toEndWith("test/jobs/action.ts");
    expect(detail.executed_function_line).toBe(lineOf("slept twice") + 1);
    expect(await client.post("/task/cancel", { id })).toMatchObject({ code: 0, msg: "Killed" });
  });

  test("a job of which no line has run yet is starting, and neither runs nor waits", async () => {
    const id = await client.createJob("action", { do: "sleep-twice-and-wait" }, { timeout: 3000 });
    const seen: Detail[] = [];
    await client.until(id, (detail) => seen.push(detail) > 0 && detail.executed_function_line > 0);
    const placeless = seen.filter(
      (it) => it.status === "running" && it.executed_file_name === null,
    );
    expect(placeless.map(({ state }) => state)).toEqual(placeless.map(() => "starting"));
    await client.post("/task/cancel", { id });
  });

  test("a waiting job is watched live to its end", async () => {
    const id = await client.createJob("action", { do: "sleep-twice-and-wait" });
    const { data } = await client.post<{ ticket: string }>(`/task/${id}/ticket`, {});
    const stream = await openStream(`${program.url}/task/${id}/events?ticket=${data.ticket}`);
    await stream.until(({ event }) => event === "log");
    await client.post("/task/cancel", { id });
    await stream.toEnd();
    const ids = stream.events.map(({ id: place, event }) => place ?? event);
    expect(ids).toEqual(["1-1", "1-2", "1-3", "end"]);
  });

  test("a callback is delivered", async () => {
    const body = { taskNo: "deno-1", name: "hook", content: { orderId: 7 }, timeout: 5000 };
    const { data } = await client.post<{ taskId: number }>("/task/create", body);
    expect((await client.until(data.taskId, isEnded)).status).toBe("succeeded");
  });

  test("SIGTERM ends it with 0", async () => {
    expect(await program.terminate()).toBe(0);
  });
});

test("on Deno a job that asks for a thread is left out, and the log says why and what to do", async () => {
  const program = await startProgram({ command, env: { JOBS_DIR } });
  try {
    const client = await createClient(program.url);
    const creating = client.createJob("fresh-action", {});
    expect(String(await creating.catch((thrown: unknown) => thrown))).toContain("no job named");
    await eventually(async () => {
      const log = await program.log();
      return log.includes("ALLOW_UNKILLABLE=1") || undefined;
    });
  } finally {
    await program.stop();
  }
});

test("on Deno a job that spins is seen on its line and killed with its process", async () => {
  const program = await startProgram({ command, env: { JOBS_DIR } });
  try {
    const client = await createClient(program.url);
    const id = await client.createJob("action", { do: "spin" });
    const isThere = (detail: Detail) => detail.executed_function_line === lineOf("turns += 1");
    const detail = await client.until(id, isThere);
    expect(detail).toMatchObject({ state: "running", executed_function_name: "spin" });
    const answer = await client.post("/task/cancel", { id });
    expect(answer).toMatchObject({ code: 0, msg: "Killed", data: { method: "process" } });
  } finally {
    await program.stop();
  }
});
test("on Deno the detail of a job on a thread shows the line it waits at", async () => {
  const jobsDir = mkdtempSync(join(tmpdir(), "jobs-"));
  writeFileSync(join(jobsDir, "waiting.ts"), WAITING);
  const program = await startProgram({
    command,
    env: { JOBS_DIR: jobsDir, ALLOW_UNKILLABLE: "1" },
  });
  try {
    const client = await createClient(program.url);
    const id = await client.createJob("waiting", {}, { timeout: 20_000 });
    const waits = ({ round, state }: Detail) => round >= 1 && state === "waiting";
    const detail = await client.until(id, waits);
    expect(detail.executed_function_line).toBe(7);
    expect(await client.post("/task/cancel", { id })).toMatchObject({ code: 0, msg: "Killed" });
  } finally {
    await program.stop();
    rmSync(jobsDir, { recursive: true, force: true });
  }
});

test("on Deno params are checked in the job worker where only it can, and jobs may require JSON", async () => {
  const jobsDir = realpathSync(mkdtempSync(join(tmpdir(), "jobs-")));
  writeFileSync(join(jobsDir, "ahead.ts"), AHEAD);
  writeFileSync(join(jobsDir, "numbers.json"), '{"one":1}');
  const program = await startProgram({ command, env: { JOBS_DIR: jobsDir } });
  try {
    const client = await createClient(program.url);
    const good = await client.createJob("ahead", { a: "aab" });
    const bad = await client.createJob("ahead", { a: "xyz" });
    expect(await client.until(good, isEnded)).toMatchObject({ status: "succeeded", result: 1 });
    const { status, error } = await client.until(bad, isEnded);
    expect([status, error?.reason]).toEqual(["failed", "params_invalid"]);
    expect(error?.message).toContain("content.params.a must match pattern");
  } finally {
    await program.stop();
    rmSync(jobsDir, { recursive: true, force: true });
  }
});

test("on Deno check refuses what the executor would refuse", () => {
  const jobsDir = realpathSync(mkdtempSync(join(tmpdir(), "jobs-")));
  writeFileSync(join(jobsDir, "waiting.ts"), WAITING);
  const main = new URL("../../src/main.ts", import.meta.url).pathname;
  const env = { ...process.env, JOBS_DIR: jobsDir, DATA_DIR: jobsDir };
  const checked = spawnSync(deno, ["run", "-A", main, "check"], { env, encoding: "utf8" });
  rmSync(jobsDir, { recursive: true, force: true });
  expect(checked.status).toBe(78);
  expect(checked.stderr).toContain('waiting.ts: isolation: "warm": Deno cannot kill a busy thread');
});

test("on Deno check names a file that a package.json says is CommonJS", async () => {
  const jobsDir = realpathSync(mkdtempSync(join(tmpdir(), "jobs-")));
  writeFileSync(join(jobsDir, "waiting.ts"), WAITING.replace(/.*isolation.*/, ""));
  writeFileSync(join(jobsDir, "package.json"), '{"type":"commonjs"}');
  const main = new URL("../../src/main.ts", import.meta.url).pathname;
  const env = { ...process.env, JOBS_DIR: jobsDir, DATA_DIR: jobsDir };
  const checked = spawnSync(deno, ["run", "-A", main, "check"], { env, encoding: "utf8" });
  rmSync(jobsDir, { recursive: true, force: true });
  expect(checked.stdout).toContain(`waiting: no live lines in ${join(jobsDir, "waiting.ts")}: the`);
});

function lineOf(text: string): number {
  return ACTIONS.slice(0, ACTIONS.indexOf(text)).split("\n").length;
}
