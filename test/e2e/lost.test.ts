// What is kept of attempts whose executor was killed, through the whole program.

import { expect, setDefaultTimeout } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { hashOf } from "../../src/live/excerpts.ts";
import type { FullAttempt } from "../support/api-client.ts";
import { executorPid } from "../support/executor-pid.ts";
import { afterAll, beforeAll, describe, test } from "../support/long.ts";
import { TEST_LIMIT_MS } from "../support/patience.ts";
import { type EndingWorld, openEndings } from "./endings.ts";

let world: EndingWorld;

setDefaultTimeout(TEST_LIMIT_MS);

beforeAll(async () => {
  world = await openEndings();
});
afterAll(() => world.close());

describe("an attempt whose executor is killed", () => {
  test("is lost, with the vars of its last checkpoint and the proof", async () => {
    const { client, jobsDir, program } = world;
    const before = Date.now();
    const id = await client.createJob("in-process", { how: "spin" });
    await client.until(id, ({ elapsed }) => elapsed > 2_500);
    const [running] = await client.attempts(id);
    process.kill(executorPid(program, running?.service_id ?? ""), "SIGKILL");
    await client.until(id, ({ attempts }) => attempts[0]?.outcome === "lost");
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
    expect(ageMs).toBeLessThan(Date.now() - before);
  });
});

describe("what an executor leaves on its machine", () => {
  const both = ["on-thread", "in-process"] as const;

  test.each(both)("names the line %s spun on when it was killed, and is removed", async (job) => {
    const { client, program } = world;
    const id = await client.createJob(job, { how: "spin" });
    await client.until(id, ({ executed_function_name: name }) => name === "grind");
    const [running] = await client.attempts(id);
    process.kill(executorPid(program, running?.service_id ?? ""), "SIGKILL");
    await client.until(id, ({ attempts }) => attempts[0]?.outcome === "lost");
    const [attempt] = await client.attempts(id);
    await client.post("/task/cancel", { id });
    expectSpinning(attempt, `${job}.ts`);
    expect(attempt?.receipt).toMatchObject({ killed: true, method: "executor" });
    await client.until(id, ({ status }) => status === "cancelled");
    expect(left()).not.toContain(running?.service_id ?? "");
  });

  test("is found by whoever reaps, when the main process is killed too", async () => {
    const { client, program } = world;
    const id = await client.createJob("on-thread", { how: "spin" });
    await client.until(id, ({ executed_function_name: name }) => name === "grind");
    await program.kill9();
    await program.restart();
    await client.until(id, ({ attempts }) => attempts[0]?.outcome === "lost");
    const [attempt] = await client.attempts(id);
    await client.post("/task/cancel", { id });
    expectSpinning(attempt, "on-thread.ts");
    expect(attempt?.receipt).toMatchObject({ killed: false, method: "none" });
  });

  test("is nothing when it ends as it should", async () => {
    const { client, endedAttempts, program } = world;
    const id = await client.createJob("on-thread", { how: "throw" });
    const [attempt] = await endedAttempts(id);
    expect(left()).toContain(attempt?.service_id ?? "");
    await program.terminate();
    expect(left()).not.toContain(attempt?.service_id ?? "");
  });
});

function left(): string[] {
  return readdirSync(join(world.program.folder, "data", "live"));
}

function expectSpinning(attempt: FullAttempt | undefined, file: string): void {
  const { around, jobsDir, marked } = world;
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
