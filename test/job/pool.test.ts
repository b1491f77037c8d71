// Which job worker gets an attempt: reuse, replacement, rest, and that nothing stays behind.
import { expect } from "bun:test";
import { existsSync, mkdtempSync, readdirSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { runJob } from "../../src/job/attempt/run-job.ts";
import { createJobProcess } from "../../src/job/host/job-process.ts";
import { createJobThread } from "../../src/job/host/job-thread.ts";
import { createPool, type PooledJob } from "../../src/job/host/pool.ts";
import { SHARED_WORDS } from "../../src/job/wire/shared-memory.ts";
import { claimed, silent } from "../support/claimed-task.ts";
import { describe, test } from "../support/long.ts";
import { declareSkipped } from "../support/skipped.ts";
import { finish, fixtureJobs, openLane, start, until } from "./attempts.ts";

const countOf = async (lane: Awaited<ReturnType<typeof openLane>>) =>
  Number((await finish(start(lane, "attempts"))).end.result);

describe("a warm job worker", () => {
  test("serves one attempt after the other", async () => {
    const lane = await openLane({ slots: 1 });
    const first = await countOf(lane);
    expect(await countOf(lane)).toBe(first + 1);
    await finish(start(lane, "throw"));
    expect(await countOf(lane)).toBe(first + 3);
  });

  test.each(["exit", "throw-later", "reject-later"])(
    "is replaced after a crash: %s",
    async (crash) => {
      const lane = await openLane({ slots: 1 });
      await countOf(lane);
      await finish(start(lane, crash, { value: 1 }));
      expect(await countOf(lane)).toBe(1);
    },
  );

  test("is replaced after a timeout and after a cancel", async () => {
    const lane = await openLane({ slots: 1 });
    await finish(start(lane, "never", { timeoutMs: 100 }));
    expect(await countOf(lane)).toBe(1);
    const attempt = start(lane, "never");
    attempt.stop("cancel");
    await finish(attempt);
    expect(await countOf(lane)).toBe(1);
  });

  test("is replaced when it spins on after its attempt has ended, at nobody's cost", async () => {
    const lane = await openLane({ slots: 1 });
    await countOf(lane);
    const { end, receipt } = await finish(start(lane, "spin-after-end"));
    expect(end).toMatchObject({ outcome: "succeeded", result: '"ended"' });
    expect(receipt).toMatchObject({ killed: true, method: "thread" });
    expect(await countOf(lane)).toBe(1);
  });

  test("that begins to spin while idle is replaced before the next attempt begins", async () => {
    const lane = await openLane({ slots: 1 });
    const sign = join(mkdtempSync(join(tmpdir(), "jobs-")), "sign");
    // On a busy machine a job worker may be replaced before it gets to spin: then the next one is to.
    await until(async () => {
      await finish(start(lane, "spin-once-idle", { value: sign }));
      await delay(500);
      return existsSync(sign);
    });
    const { end } = await finish(start(lane, "return", { value: 1, timeoutMs: 60_000 }));
    expect(end).toMatchObject({ outcome: "succeeded" });
  });

  test("that exits while idle leaves, and the next attempt finds another", async () => {
    const lane = await openLane({ slots: 1 });
    await until(() => lane.figures().idle.includes("action"));
    const before = lane.figures().idle.filter((name) => name === "action").length;
    await finish(start(lane, "exit-after-end"));
    await until(
      () => lane.figures().idle.filter((name) => name === "action").length < Math.max(before, 1),
    );
    expect(await countOf(lane)).toBeGreaterThan(0);
  });

  test("drops and counts what a former attempt still says", async () => {
    const lane = await openLane({ slots: 1 });
    const { end } = await finish(start(lane, "log-after-end"));
    const next = await finish(start(lane, "never", { timeoutMs: 200 }));
    const saidTypes = next.end.trace?.events.map(({ type }) => type);
    expect(end.outcome).toBe("succeeded");
    expect(saidTypes).toEqual(["state", "state"]);
    expect(lane.figures().droppedCalls).toBe(7);
  });
});

describe("a fresh job worker", () => {
  test("serves a single attempt", async () => {
    const lane = await openLane({ slots: 2 });
    for (let i = 0; i < 4; i++) {
      const { end, receipt } = await finish(lane.start(claimed("fresh-action", {})));
      expect(end.result).toBe("1");
      expect(receipt.killed).toBe(true);
    }
  });

  test("is taken from the spares, which are filled up again", async () => {
    const lane = await openLane({ slots: 2 });
    expect(lane.figures().spares).toBe(2);
    await finish(lane.start(claimed("fresh-action", {})));
    expect(lane.figures().spares).toBe(2);
  });
});

describe("a pool", () => {
  const jobs: PooledJob[] = ["action", "short", "effect"].map((name) => ({
    name,
    file: `${fixtureJobs}/${name}.ts`,
    isolation: "warm",
    trace: "lean",
  }));

  test("keeps at most 2 × slots idle; the least recently used leaves", async () => {
    const pool = createPool({
      jobs: [],
      slots: 1,
      spawn: () => createJobThread({}),
      logger: silent,
    });
    for (const job of jobs) {
      const taken = await pool.take(job).taken;
      if (taken.kind === "taken") await pool.giveBack(taken.jobWorker);
    }
    expect(pool.figures()).toMatchObject({ idle: ["effect"], spares: 1 });
    await pool.close();
    expect(pool.figures()).toMatchObject({ idle: [], spares: 0 });
  });

  test("retires a job worker after 1,000 attempts", async () => {
    const [job] = jobs;
    if (job === undefined) throw new Error("no job");
    const pool = createPool({
      jobs: [],
      slots: 1,
      spawn: () => createJobThread({}),
      logger: silent,
    });
    const taken = await pool.take(job).taken;
    if (taken.kind !== "taken") throw new Error(taken.message);
    const { memory } = taken.jobWorker.host;
    taken.jobWorker.served = 999;
    await pool.giveBack(taken.jobWorker);
    await until(() => pool.figures().idle.length === 1);
    const next = await pool.take(job).taken;
    expect(next.kind === "taken" && next.jobWorker.host.memory).not.toBe(memory);
    expect(Atomics.load(memory.words, SHARED_WORDS.dropped)).toBe(0);
    if (next.kind === "taken") await pool.replace(next.jobWorker);
    await pool.close();
  });

  test("has a spare again at once when an import is abandoned, and never lends out what was killed", async () => {
    const [job] = jobs;
    if (job === undefined) throw new Error("no job");
    const spawn = () => createJobThread({});
    const pool = createPool({ jobs: [], slots: 1, spawn, logger: silent });
    expect(await pool.take(job).abandon()).toEqual({ killed: true, method: "thread" });
    expect(pool.figures()).toMatchObject({ idle: [], spares: 1 });
    const taken = await pool.take(job).taken;
    if (taken.kind !== "taken") throw new Error(taken.message);
    await pool.replace(taken.jobWorker);
    await pool.giveBack(taken.jobWorker);
    const next = await pool.take(job).taken;
    expect(next.kind === "taken" && next.jobWorker.host).not.toBe(taken.jobWorker.host);
    await pool.close();
  });

  test("says what is wrong with a file that cannot be loaded", async () => {
    const pool = createPool({
      jobs: [],
      slots: 1,
      spawn: () => createJobThread({}),
      logger: silent,
    });
    const taken = await pool.take({
      name: "gone",
      file: "/no/such/file.ts",
      isolation: "warm",
      trace: "lean",
    }).taken;
    expect(taken).toMatchObject({ kind: "refused" });
    await pool.close();
  });
});

test("an attempt for which no thread can be started is handed back, not failed", async () => {
  let isBroken = false;
  const spawn = () => {
    if (isBroken) throw new Error("no more threads");
    return createJobThread({});
  };
  const pool = createPool({ jobs: [], slots: 1, spawn, logger: silent });
  isBroken = true;
  const job: PooledJob = {
    name: "action",
    file: `${fixtureJobs}/action.ts`,
    isolation: "warm",
    trace: "lean",
  };
  const spare = await pool.take(job).taken;
  const deps = { pool, jobsDir: fixtureJobs, logger: silent };
  const task = claimed("action", {});
  const { end, receipt } = await finish(
    runJob(deps, { task, job, params: "{}", timeoutMs: 5_000, id: 1 }),
  );
  expect(end).toMatchObject({ outcome: "interrupted", error: { message: "no more threads" } });
  expect(receipt.killed).toBe(true);
  if (spare.kind === "taken") await pool.giveBack(spare.jobWorker);
  await pool.close();
});

test("an attempt whose process dies before it can load anything is handed back for a while", async () => {
  const processEntry = join(mkdtempSync(join(tmpdir(), "entry-")), "entry.js");
  writeFileSync(processEntry, "process.exit(7);");
  const spawn = () => createJobProcess({ env: {}, processEntry });
  const limits = { idle: 1, spares: 0, isPrewarmed: false };
  const pool = createPool({ jobs: [], slots: 1, spawn, logger: silent, limits });
  const file = `${fixtureJobs}/action.ts`;
  const job: PooledJob = { name: "action", file, isolation: "process", trace: "off" };
  const deps = { pool, jobsDir: fixtureJobs, logger: silent };
  const given = { task: claimed("action", {}), job, params: "{}", timeoutMs: 20_000, id: 1 };
  const { end, receipt } = await finish(runJob(deps, given));
  expect(end).toMatchObject({ outcome: "interrupted", retryAfterMs: 1_000 });
  expect(end.error?.message).toContain("exit code 7");
  expect(receipt.killed).toBe(true);
  await pool.close();
});

const threads = () => readdirSync("/proc/self/task").length;

if (process.platform !== "linux") declareSkipped("killed threads", "needs Linux: run it there");
else
  describe("the threads of killed attempts", () => {
    test("are gone after 200 kills", async () => {
      const lane = await openLane({ slots: 2 });
      const before = threads();
      const killOne = async (action: string) => {
        const attempt = start(lane, action);
        await until(async () => (await attempt.inspect()).frames.length > 0);
        attempt.stop("cancel");
        return (await attempt.gone).killed;
      };
      for (let i = 0; i < 100; i++) {
        expect(await Promise.all([killOne("spin"), killOne("sleep")])).toEqual([true, true]);
      }
      expect(lane.figures().unkillable).toBe(0);
      await lane.close();
      await until(() => threads() <= before);
    });
  });
