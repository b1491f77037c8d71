// What is kept of attempts that were killed, crashed or gave up, through the whole program: receipts and autopsies.

import { expect, setDefaultTimeout } from "bun:test";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { hashOf } from "../../src/live/excerpts.ts";
import { createClient, type Detail, type FullAttempt } from "../support/api-client.ts";
import { openStream } from "../support/event-stream.ts";
import { afterAll, beforeAll, describe, test } from "../support/long.ts";
import { TEST_LIMIT_MS } from "../support/patience.ts";
import { type EndingWorld, openEndings } from "./endings.ts";

let world: EndingWorld;

setDefaultTimeout(TEST_LIMIT_MS);

beforeAll(async () => {
  world = await openEndings();
});
afterAll(() => world.close());

describe("an attempt that is killed", () => {
  test("on a thread at its deadline keeps where, why, what it said and used, and what ran", async () => {
    const { around, client, endedAttempts, jobsDir } = world;
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
    expect(attempt?.receipt?.["latency_ms"]).toBeNumber();
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
    expect(Number(attempt?.autopsy?.["cpu_ms"])).toBeGreaterThan(0);
    expect(Number(attempt?.autopsy?.["rss_bytes"])).toBeGreaterThan(1_000_000);
    expect(typesOf(attempt)).toEqual(["state", "watch", "log", "state"]);
    expect(JSON.stringify(attempt)).not.toContain("very secret");
  });

  test("in a process by a cancel gives the same receipt to the answer and to the attempt", async () => {
    const { around, client, endedAttempts } = world;
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
    const { client, endedAttempts, marked } = world;
    const id = await client.createJob("on-thread", { how: "exit" });
    const [attempt] = await endedAttempts(id);
    expect(attempt).toMatchObject({ outcome: "crashed", receipt: { killed: true, by: "job" } });
    expect(attempt?.autopsy).toMatchObject({ why: { reason: "exit" }, vars: { how: "exit" } });
    expect(attempt?.autopsy?.frames[0]).toMatchObject(marked("exit", "on-thread.ts"));
  });

  test("only with its executor proves that, and so does the one beside it", async () => {
    const { client, endedAttempts, marked } = world;
    const beside = await client.createJob("on-thread", { how: "wait" });
    await client.until(beside, isSeen);
    const id = await client.createJob("on-thread", { how: "block" });
    await client.until(id, isSeen);
    const { data } = await client.post("/task/cancel", { id, waitMs: 20_000 });
    expect(data).toMatchObject({ killed: true, method: "executor", by: "application" });
    expect((await endedAttempts(id))[0]?.receipt).toEqual(data);
    await client.until(beside, ({ attempts }) => attempts.length === 2);
    const [first] = await client.attempts(beside);
    await client.post("/task/cancel", { id: beside });
    expect(first).toMatchObject({ outcome: "interrupted", charged: false });
    expect(first?.receipt).toMatchObject({ killed: true, by: "executor", reason: "interrupted" });
    expect(first?.autopsy?.frames[0]).toMatchObject(marked("run", "on-thread.ts"));
  });
});

describe("an attempt that gives up", () => {
  test("because of its signal keeps where it waited before that", async () => {
    const { client, endedAttempts, marked } = world;
    const id = await client.createJob("on-thread", { how: "sleep" }, { timeout: 8_000 });
    const [attempt] = await endedAttempts(id);
    expect(attempt).toMatchObject({ outcome: "timed_out" });
    expect(attempt?.receipt).toMatchObject({ killed: true, method: "abort", by: "deadline" });
    expect(attempt?.autopsy).toMatchObject({ source: "live", state: "waiting" });
    expect(attempt?.autopsy?.frames[0]).toMatchObject(marked("sleep", "on-thread.ts"));
    expect(attempt?.autopsy?.["memory_age_ms"]).toBeGreaterThanOrEqual(0);
  });

  test("a delivery has no place, but a receipt: the receiver may go on", async () => {
    const { program } = world;
    const silent = createServer(() => undefined).listen(0, "127.0.0.1");
    await once(silent, "listening");
    try {
      const { port } = silent.address() as AddressInfo;
      const own = await createClient(program.url, { linkUrl: `http://127.0.0.1:${port}/` });
      const task = { taskNo: "d-1", name: "n", content: { order: 7 }, timeout: 600_000 };
      const heard = once(silent, "request");
      const created = await own.post<{ taskId: number }>("/task/create", task);
      const { taskId: id } = created.data;
      await heard;
      const { data } = await own.post("/task/cancel", { id });
      expect(data).toMatchObject({
        killed: true,
        method: "http-abort",
        remoteMayContinue: true,
        reason: "cancelled",
        by: "application",
      });
      const [attempt] = await own.attempts(id);
      expect(attempt?.receipt).toEqual(data);
      expect(attempt?.autopsy).toMatchObject({
        why: { reason: "cancelled", by: "application" },
        source: "none",
        frames: [],
        runtime: null,
      });
    } finally {
      silent.closeAllConnections();
      silent.close();
    }
  });
});

describe("an attempt that ends by itself", () => {
  test("has neither receipt nor autopsy", async () => {
    const { client, endedAttempts } = world;
    const id = await client.createJob("on-thread", { how: "throw" });
    const [attempt] = await endedAttempts(id);
    expect(attempt).toMatchObject({ outcome: "failed", receipt: null, autopsy: null });
  });
});

describe("a file that was edited since", () => {
  test("is not quoted: the lines are those that ran", async () => {
    const { around, client, endedAttempts, jobsDir } = world;
    const id = await client.createJob("edited", { how: "spin" });
    await client.until(id, ({ executed_function_name: name }) => name === "grind");
    const path = join(jobsDir, "edited.ts");
    const before = readFileSync(path, "utf8");
    writeFileSync(path, `// a line more\n${before.replaceAll("turns", "rounds")}`);
    try {
      await client.post("/task/cancel", { id });
      const [attempt] = await endedAttempts(id);
      expect(attempt?.autopsy?.frames[0]?.source).toEqual(around("grind", "edited.ts"));
      expect(attempt?.autopsy?.["source_hash"]).toBe(hashOf(Buffer.from(before)));
    } finally {
      writeFileSync(path, before);
    }
  });
});

describe("a checkpoint", () => {
  test("is told by the trace of a job that waits", async () => {
    const { client, endedAttempts, marked, program } = world;
    const id = await client.createJob("on-thread", { how: "wait" });
    const { data: ticket } = await client.post<{ ticket: string }>(`/task/${id}/ticket`, {});
    const stream = await openStream(`${program.url}/task/${id}/events?ticket=${ticket.ticket}`);
    const isThere = { ...marked("run", "on-thread.ts"), function: "run" };
    const data = { state: "waiting", place: isThere };
    await stream.until(
      (told) => told.event === "checkpoint" && told.data?.includes('"waiting"') === true,
    );
    await client.post("/task/cancel", { id });
    await stream.toEnd();
    const [attempt] = await endedAttempts(id);
    const told = attempt?.autopsy?.events.filter(({ type }) => type === "checkpoint") ?? [];
    expect(told.at(-1)?.data).toEqual(data);
  });
});

function isSeen({ status, vars }: Detail): boolean {
  return status === "running" && JSON.stringify(vars).includes("how");
}

function typesOf(attempt: FullAttempt | undefined): string[] {
  return attempt?.autopsy?.events.map(({ type }) => type) ?? [];
}
