// The kill matrix, shortened: a few cases of every kind, and what the long one cannot show. The whole: bun run test:kill.
import { expect, setDefaultTimeout } from "bun:test";
import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { createClient, isEnded } from "../support/api-client.ts";
import { eventually } from "../support/eventually.ts";
import { describe, test } from "../support/long.ts";
import { TEST_LIMIT_MS } from "../support/patience.ts";
import { startProgram } from "../support/program.ts";
import { whereThere } from "../support/where-there.ts";
import { CASES, type KillCase } from "./cases.ts";
import { commandOf, openLane } from "./lane.ts";
import { openProgram } from "./program.ts";
import { burningThreads, markedProcesses } from "./watch-process.ts";

setDefaultTimeout(TEST_LIMIT_MS);

const JOBS_DIR = new URL("./jobs", import.meta.url).pathname;

function caseOf(action: string): KillCase {
  const found = CASES.find((killCase) => killCase.do === action);
  if (found === undefined) throw new Error(`no case ${action}`);
  return found;
}

test("the look from outside sees a thread that burns", async () => {
  const worker = new Worker("for (;;);", { eval: true });
  await once(worker, "online");
  expect(await burningThreads(process.pid)).toBeGreaterThanOrEqual(1);
  await worker.terminate();
  expect(await burningThreads(process.pid)).toBe(0);
});

const lanes = [
  {
    runtime: "Bun",
    isolation: "thread",
    actions: [
      "for(;;)",
      "for(;;)",
      "spawnSync sleep",
      "a top-level import that spins",
      "BigInt growth",
      "short system calls in a loop",
      "system calls in a callback",
    ],
  },
  {
    runtime: "Bun",
    isolation: "process",
    actions: ["readFileSync of a FIFO", "1 GB of postMessage", "a detached child"],
  },
  { runtime: "Deno", isolation: "process", actions: ["WASM loop", "a late throw"] },
] as const;

whereThere(describe, "deno")("where Deno is", () => undefined);

describe.each(lanes.filter(({ runtime }) => commandOf(runtime) !== null))(
  "on $runtime in a $isolation",
  ({ runtime, isolation, actions }) => {
    test("each is dead in time, proven from outside, and disturbs nobody", async () => {
      const lane = openLane(runtime, isolation);
      try {
        for (const [index, action] of actions.entries()) {
          const killCase = caseOf(action);
          const isOwn = killCase.outcome !== "timed_out";
          const ending = isOwn || index % 2 === 0 ? "timeout" : "cancel";
          const { wrong } = await lane.run(killCase, ending);
          expect({ action, ending, wrong }).toEqual({ action, ending, wrong: [] });
        }
      } finally {
        lane.close();
      }
    });
  },
);

test("what only dies with its executor is proven dead to whoever waits, at nobody's cost", async () => {
  const program = await openProgram();
  try {
    const { wrong } = await program.run(caseOf("readFileSync of a FIFO"), "cancel");
    expect(wrong).toEqual([]);
  } finally {
    await program.stop();
  }
});

test("attempts beside it that end within EXECUTOR_DRAIN_MS are kept, and no new one is started meanwhile", async () => {
  const env = { JOBS_DIR, EXECUTOR_DRAIN_MS: "8000", EXECUTOR_SLOTS: "3" };
  const program = await startProgram({ env });
  try {
    const client = await createClient(program.url);
    const path = join(mkdtempSync(join(tmpdir(), "kill-")), "fifo");
    const retire = { do: "readFileSync of a FIFO", path };
    const blocked = await client.createJob("on-thread", retire, { timeout: 300 });
    const beside = await client.createJob("on-thread", { do: "three seconds of work", path: "" });
    const slow = await client.createJob("on-thread", { do: "a promise that never settles" });
    const { attempts } = await client.until(beside, isEnded);
    expect(attempts).toMatchObject([{ outcome: "succeeded" }]);
    const [dead] = attempts;
    const again = await client.until(slow, (seen) => seen.attempts.length === 2);
    expect(again.attempts[0]).toMatchObject({ outcome: "interrupted", charged: false });
    expect(again.attempts[0]?.service_id).toBe(dead?.service_id ?? "");
    expect(again.attempts[1]?.service_id).not.toBe(dead?.service_id ?? "");
    const { finished_at: endedAt } = again.attempts[0] ?? {};
    expect((endedAt ?? 0) - (dead?.started_at ?? 0)).toBeGreaterThan(8_000);
    expect((await client.detail(blocked)).attempts).toMatchObject([{ outcome: "timed_out" }]);
    await client.post("/task/cancel", { id: slow });
  } finally {
    await program.stop();
  }
});

test("kill -9 of an executor, and of the main process, ends job processes with all they started", async () => {
  const program = await startProgram({ env: { JOBS_DIR } });
  try {
    const client = await createClient(program.url);
    const path = join(mkdtempSync(join(tmpdir(), "kill-")), "lives");
    const id = await client.createJob("in-process", { do: "a detached child", path });
    await eventually(async () => existsSync(path) || undefined);
    const { service_id: executor } = await client.detail(id);
    const mark = `SERENDIPITY_JOB_PROCESS=${executor}/`;
    expect(markedProcesses(mark).length).toBeGreaterThanOrEqual(2);
    const { stdout } = spawnSync("pgrep", ["-P", String(program.pid)], { encoding: "utf8" });
    process.kill(Number(stdout.trim()), "SIGKILL");
    const detail = await client.until(id, ({ attempts }) => attempts.length === 2);
    expect(detail.attempts[0]?.outcome).toBe("lost");
    expect(markedProcesses(mark)).toEqual([]);
    const next = `SERENDIPITY_JOB_PROCESS=${detail.attempts[1]?.service_id}/`;
    await eventually(async () => markedProcesses(next).length >= 2 || undefined);
    process.kill(program.pid ?? 0, "SIGKILL");
    await eventually(async () => markedProcesses(next).length === 0 || undefined);
  } finally {
    await program.stop();
  }
});
