// The kill matrix, shortened: a few cases of every kind, and what the long one cannot show. The whole: bun run test:kill.
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { createClient } from "../support/api-client.ts";
import { eventually } from "../support/eventually.ts";
import { startProgram } from "../support/program.ts";
import { CASES, type KillCase } from "./cases.ts";
import { commandOf, openLane } from "./lane.ts";
import { openProgram } from "./program.ts";
import { burningThreads, markedProcesses } from "./watch-process.ts";

setDefaultTimeout(60_000);

const JOBS_DIR = new URL("./jobs", import.meta.url).pathname;

function caseOf(action: string): KillCase {
  const found = CASES.find((killCase) => killCase.do === action);
  if (found === undefined) throw new Error(`no case ${action}`);
  return found;
}

test("the look from outside sees a thread that burns", async () => {
  const worker = new Worker("for (;;);", { eval: true });
  expect(await burningThreads(process.pid)).toBeGreaterThanOrEqual(1);
  await worker.terminate();
  expect(await burningThreads(process.pid)).toBe(0);
});

const lanes = [
  { runtime: "Bun", isolation: "thread", actions: ["for(;;)", "Atomics.wait", "process.abort"] },
  {
    runtime: "Bun",
    isolation: "process",
    actions: ["for(;;)", "readFileSync of a FIFO", "allocation without end", "a detached child"],
  },
  { runtime: "Deno", isolation: "process", actions: ["for(;;)", "WASM loop", "process.exit"] },
] as const;

describe.each(lanes.filter(({ runtime }) => commandOf(runtime) !== null))(
  "on $runtime in a $isolation",
  ({ runtime, isolation, actions }) => {
    test("each is dead in time, proven from outside, and disturbs nobody", async () => {
      const lane = openLane(runtime, isolation);
      try {
        for (const action of actions) {
          const killCase = caseOf(action);
          const endings = killCase.outcome === "timed_out" ? ["timeout", "cancel"] : ["timeout"];
          for (const ending of endings as ("timeout" | "cancel")[]) {
            const { wrong } = await lane.run(killCase, ending);
            expect({ action, ending, wrong }).toEqual({ action, ending, wrong: [] });
          }
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

test("kill -9 of an executor ends its job processes with all they started, before the next attempt", async () => {
  const program = await startProgram({ env: { JOBS_DIR } });
  try {
    const client = await createClient(program.url);
    const path = join(mkdtempSync(join(tmpdir(), "kill-")), "lives");
    const id = await client.createJob("in-process", { do: "a detached child", path });
    await eventually(async () => existsSync(path) || undefined, 10_000);
    const { service_id: executor } = await client.detail(id);
    const mark = `SERENDIPITY_JOB_PROCESS=${executor}/`;
    expect(markedProcesses(mark).length).toBeGreaterThanOrEqual(2);
    const { stdout } = spawnSync("pgrep", ["-P", String(program.pid)], { encoding: "utf8" });
    process.kill(Number(stdout.trim()), "SIGKILL");
    const detail = await client.until(id, ({ attempts }) => attempts.length === 2);
    expect(detail.attempts[0]?.outcome).toBe("lost");
    expect(markedProcesses(mark)).toEqual([]);
    await client.post("/task/cancel", { id });
    const size = statSync(path).size;
    expect(await burningThreads(program.pid ?? 0)).toBe(0);
    expect(statSync(path).size).toBe(size);
  } finally {
    await program.stop();
  }
});
