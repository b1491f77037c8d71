// The whole program without any server: from a signed request to the end of the task, and through its deaths.

import { expect, setDefaultTimeout } from "bun:test";
import { spawnSync } from "node:child_process";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { type ApiClient, clientOf, createClient, isEnded } from "../support/api-client.ts";
import { atItsBest } from "../support/at-its-best.ts";
import { afterAll, beforeAll, describe, test } from "../support/long.ts";
import { TEST_LIMIT_MS } from "../support/patience.ts";
import { type Program, startProgram } from "../support/program.ts";

const UNKNOWN = { code: 1, msg: "Unknown!", data: [] };
const JOBS_DIR = new URL("../jobs", import.meta.url).pathname;
const MAIN = new URL("../../src/main.ts", import.meta.url).pathname;

setDefaultTimeout(TEST_LIMIT_MS);

describe("embedded", () => {
  let program: Program;
  let client: ApiClient;

  beforeAll(async () => {
    program = await startProgram({ env: { JOBS_DIR } });
    client = await createClient(program.url);
  });
  afterAll(() => program.stop());

  test("a task runs its job and keeps the result", async () => {
    const id = await client.createJob("action", { do: "return", value: 7 });
    const detail = await client.until(id, isEnded);
    expect(detail).toMatchObject({
      status: "succeeded",
      state: "succeeded",
      attempt: 1,
      result: 7,
      error: null,
    });
    expect(detail.attempts).toMatchObject([{ attempt: 1, outcome: "succeeded", charged: true }]);
  });

  test("a job that spins is recorded as timed out at its deadline", async () => {
    const id = await client.createJob("action", { do: "spin" }, { timeout: 500 });
    const detail = await client.until(id, isEnded);
    expect(detail.status).toBe("failed");
    expect(detail.attempts[0]?.outcome).toBe("timed_out");
    const [attempt] = detail.attempts;
    const lastedMs = (attempt?.finished_at ?? 0) - (attempt?.started_at ?? 0);
    expect(lastedMs).toBeGreaterThanOrEqual(500);
  });

  test("a success that leaves something spinning begins again by force, and not before that is dead", async () => {
    const id = await client.createJob("action", { do: "spin-after-end" });
    await client.until(id, isEnded);
    expect(await client.post("/nsq/publish", { task_id: id })).toMatchObject({
      code: 1,
      msg: "the task is succeeded; scheduled, queued, failed and cancelled ones are taken",
    });
    expect(await client.post("/nsq/publish", { task_id: id, force: true })).toEqual({
      code: 0,
      msg: "ok!",
      data: {},
    });
    await client.until(id, (detail) => isEnded(detail) && detail.attempts.length === 2);
    const [first, second] = await client.attempts(id);
    expect(first).toMatchObject({ outcome: "succeeded", receipt: { killed: true } });
    expect(second?.outcome).toBe("succeeded");
    expect(Number(first?.receipt?.["at"])).toBeLessThanOrEqual(second?.started_at ?? 0);
  });

  test("cancelling a job that spins answers Killed with the ms it took", async () => {
    const id = await client.createJob("action", { do: "spin" });
    await client.until(id, (detail) => detail.status === "running");
    const answer = await client.post<{ killed: boolean; method: string; latency_ms: number }>(
      "/task/cancel",
      { id },
    );
    expect(answer).toMatchObject({
      code: 0,
      msg: "Killed",
      data: { killed: true, method: "thread" },
    });
    expect(answer.data.latency_ms).toBeGreaterThanOrEqual(0);
    expect((await client.until(id, isEnded)).status).toBe("cancelled");
  });

  test("a task cancelled before its time never starts", async () => {
    const runtime = Math.floor(Date.now() / 1000) + 600;
    const id = await client.createJob("action", { do: "nothing" }, { runtime });
    expect((await client.detail(id)).status).toBe("scheduled");
    expect(await client.post("/task/cancel", { id })).toMatchObject({ code: 0, msg: "ok!" });
    const detail = await client.detail(id);
    expect(detail.status).toBe("cancelled");
    expect(detail.attempts).toEqual([]);
  });

  test("a task starts at its time, not before and not with the next poll", async () => {
    // 50 ms is the promise; the bench measures it, this catches a lost due time.
    await atItsBest(250, async () => {
      const runtime = Date.now() + 1200;
      const id = await client.createJob("action", { do: "nothing" }, { runtime });
      const detail = await client.until(id, isEnded);
      const lateMs = (detail.attempts[0]?.started_at ?? 0) - runtime;
      expect(lateMs).toBeGreaterThanOrEqual(0);
      return lateMs;
    });
  });

  test("a failing task is retried after its step and keeps every attempt", async () => {
    const patient = await createClient(program.url, { step: 1, retryTotal: 1 });
    const id = await patient.createJob("action", { do: "throw" });
    const detail = await patient.until(id, isEnded);
    expect(detail).toMatchObject({ status: "failed", attempt: 2, maxAttempts: 2 });
    const [first, second] = detail.attempts;
    const waitedMs = (second?.started_at ?? 0) - (first?.finished_at ?? 0);
    expect(waitedMs).toBeGreaterThanOrEqual(1000);
  });

  test("a failed task begins a new life when it is published again", async () => {
    const id = await client.createJob("action", { do: "throw" });
    await client.until(id, isEnded);
    expect(await client.post("/nsq/publish", { task_id: id })).toEqual({
      code: 0,
      msg: "ok!",
      data: {},
    });
    const detail = await client.until(id, (seen) => isEnded(seen) && seen.attempts.length === 2);
    expect(detail.status).toBe("failed");
  });

  test("another application sees nothing of the task", async () => {
    const id = await client.createJob("action", { do: "nothing" });
    const stranger = await createClient(program.url);
    expect(await stranger.post("/task/detail", { id })).toMatchObject({ code: 1, data: [] });
    expect(await stranger.post<unknown>("/task/cancel", { id })).toEqual(UNKNOWN);
  });

  test("a second start on the same data names the holder and ends with 78", () => {
    const env = { ...process.env, DATA_DIR: join(program.folder, "data"), PORT: "29999" };
    const second = spawnSync(process.execPath, ["--no-install", MAIN, "start"], {
      env,
      encoding: "utf8",
    });
    expect(second.status).toBe(78);
    expect(second.stderr).toContain(String(program.pid));
  });
});

describe("callbacks, embedded", () => {
  const seen: { headers: Record<string, unknown>; body: string }[] = [];
  let receiver: Server;
  let program: Program;

  beforeAll(async () => {
    receiver = createServer((request, response) => {
      let body = "";
      request.on("data", (chunk) => {
        body += String(chunk);
      });
      request.on("end", () => {
        seen.push({ headers: request.headers, body });
        response.end(seen.length === 1 ? "not yet" : "success\n");
      });
    });
    await new Promise<void>((resolve) => receiver.listen(0, "127.0.0.1", resolve));
    program = await startProgram();
  });
  afterAll(async () => {
    receiver.close();
    await program.stop();
  });

  test("content without class is posted to linkUrl until it answers success", async () => {
    const linkUrl = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/hook`;
    const client = await createClient(program.url, { linkUrl, retryTotal: 2 });
    const body = { taskNo: "hook-1", name: "hook", content: { orderId: 7 }, timeout: 5000 };
    const { data } = await client.post<{ taskId: number }>("/task/create", body);
    const detail = await client.until(data.taskId, isEnded);
    expect(detail).toMatchObject({ status: "succeeded", attempt: 2 });
    expect(seen.map(({ body }) => JSON.parse(body))).toEqual([
      { data: { orderId: 7 } },
      { data: { orderId: 7 } },
    ]);
    expect(seen[1]?.headers).toMatchObject({ app_key: client.appKey, attempt: "2" });
  });
});

describe.concurrent("embedded, through deaths", () => {
  test("SIGTERM lets a short job end, hands a long one back, and the next start runs it again", async () => {
    const program = await startProgram({ env: { JOBS_DIR, SHUTDOWN_TIMEOUT_MS: "5000" } });
    try {
      const client = await createClient(program.url);
      const short = await client.createJob("action", { do: "sleep", value: 400 });
      const long = await client.createJob(
        "action",
        { do: "sleep", value: 290_000 },
        { timeout: 300_000 },
      );
      await client.until(short, (detail) => detail.status === "running");
      await client.until(long, (detail) => detail.status === "running");
      expect(await program.terminate()).toBe(0);
      await program.restart();
      expect((await client.detail(short)).status).toBe("succeeded");
      const again = await client.until(long, ({ attempts }) => attempts.length === 2);
      expect(again.attempts[0]).toMatchObject({ outcome: "interrupted", charged: false });
      await client.post("/task/cancel", { id: long });
    } finally {
      await program.stop();
    }
  });

  test("every acknowledged task survives kill -9 of the main process", async () => {
    const program = await startProgram({ env: { JOBS_DIR, LEASE_MS: "2000" } });
    try {
      const client = await createClient(program.url, { retryTotal: 1 });
      const params = { do: "sleep", value: 300 };
      const ids = await Promise.all(
        Array.from({ length: 20 }, () => client.createJob("action", params)),
      );
      await program.kill9();
      await program.restart();
      const revived = clientOf(program.url, client);
      for (const id of ids) {
        expect((await revived.until(id, isEnded)).status).toBe("succeeded");
      }
    } finally {
      await program.stop();
    }
  });

  test("kill -9 of the executor loses nothing: its successor takes over", async () => {
    const program = await startProgram({ env: { JOBS_DIR } });
    try {
      const client = await createClient(program.url);
      const id = await client.createJob("action", { do: "sleep", value: 1000 });
      await client.until(id, (detail) => detail.status === "running");
      const { stdout } = spawnSync("pgrep", ["-P", String(program.pid)], { encoding: "utf8" });
      process.kill(Number(stdout.trim()), "SIGKILL");
      const detail = await client.until(id, isEnded);
      expect(detail.status).toBe("succeeded");
      expect(detail.attempts.map(({ outcome }) => outcome)).toEqual(["lost", "succeeded"]);
    } finally {
      await program.stop();
    }
  });
});
