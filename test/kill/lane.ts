// Drives a lane runner and judges each case from outside.
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, statSync } from "node:fs";
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { KillReceipt } from "../../src/core/attempt.ts";
import { findBinary } from "../support/find-binary.ts";
import { isAboutMemory, type KillCase } from "./cases.ts";
import type { LaneCase, LaneResult } from "./lane-runner.ts";
import { inTimeOnce, type Row, type RuntimeName } from "./row.ts";
import { burningThreads, type Footprint, footprintOf, markedProcesses } from "./watch-process.ts";

/** How to run a script; null when the runtime is not here. */
export function commandOf(runtime: RuntimeName): readonly string[] | null {
  if (runtime === "Bun") return [process.execPath, "--no-install"];
  const deno = findBinary("deno");
  return deno === undefined ? null : [deno, "run", "-A"];
}

export interface Lane {
  readonly pid: number;
  run(killCase: KillCase, ending: "timeout" | "cancel"): Promise<Row>;
  /** Without the look from outside. */
  runBlindly(killCase: KillCase): Promise<LaneResult>;
  footprint(): Footprint;
  close(): void;
}

/** Of repeats that only count what is left. */
const BLIND_MS = 200;
/** The file must stand still for so long. */
const STILL_MS = 120;

/** Starts a runner on this runtime for jobs of one isolation. */
export function openLane(runtime: RuntimeName, isolation: "thread" | "process"): Lane {
  const [program = "", ...options] = commandOf(runtime) ?? [];
  const script = fileURLToPath(new URL("./lane-runner.ts", import.meta.url));
  const child = spawn(program, [...options, script], { stdio: ["pipe", "pipe", "inherit"] });
  const results = createInterface(child.stdout)[Symbol.asyncIterator]();
  const pid = child.pid ?? 0;

  async function ask(given: LaneCase): Promise<LaneResult> {
    child.stdin.write(`${JSON.stringify(given)}\n`);
    const { value } = (await results.next()) as { value: string | undefined };
    if (value === undefined) throw new Error(`the runner died under ${JSON.stringify(given)}`);
    return JSON.parse(value) as LaneResult;
  }

  const caseOf = (killCase: KillCase, ending: LaneCase["ending"]): LaneCase => ({
    do: killCase.do,
    job: jobOf(killCase, isolation),
    ending,
    timeoutMs: isAboutMemory(killCase) ? 20_000 : 1_000,
  });

  return {
    pid,
    runBlindly: (killCase) => ask({ ...caseOf(killCase, "timeout"), timeoutMs: BLIND_MS }),
    footprint: () => footprintOf(pid),
    close: () => endOf(child),
    run: (killCase, ending) =>
      inTimeOnce(async () => {
        const result = await ask(caseOf(killCase, ending));
        const { end, gone } = result;
        const isolated = { runtime, isolation, ending, action: killCase.do };
        const hasBegun = isWatched(killCase, result);
        const wrong = [
          ...(hasBegun ? problemsOf({ killCase, ending, isolation }, result) : []),
          ...(await livingSigns(pid, result)),
        ];
        const late = hasBegun ? latenessOf(killCase, result) : ["the trace does not know its vars"];
        return { ...isolated, outcome: end.outcome, ...pick(gone), wrong, late };
      }),
  };
}

function jobOf({ isImport }: KillCase, isolation: "thread" | "process"): LaneCase["job"] {
  const job = isolation === "thread" ? "on-thread" : "in-process";
  return isImport ? `import-${job}` : job;
}

function endOf(child: ChildProcess): void {
  child.kill("SIGKILL");
}

function pick({ method, latencyMs }: LaneResult["gone"]) {
  return { method, latencyMs };
}

interface Judged {
  readonly killCase: KillCase;
  readonly ending: "timeout" | "cancel";
  readonly isolation: "thread" | "process";
}

function problemsOf({ killCase, ending, isolation }: Judged, result: LaneResult): string[] {
  const { end, gone, isSiblingAlive } = result;
  const endsItself = killCase.outcome !== "timed_out";
  const outcome = ending === "cancel" ? "cancelled" : killCase.outcome;
  const wasKilled = end.outcome !== "failed";
  const receipt = end.receipt ?? gone;
  const checks: readonly (readonly [boolean | undefined, string])[] = [
    [end.outcome === outcome, `outcome ${end.outcome}`],
    [gone.killed, "not proven dead"],
    [!wasKilled || gone.method === isolation, `method ${gone.method}`],
    [!wasKilled || receipt.reason !== undefined, "no reason in the receipt"],
    [!wasKilled || receipt.by !== undefined, "nobody in the receipt"],
    [endsItself || isItsPlace(killCase, receipt), "another place in the receipt"],
    [!wasKilled || end.trace?.autopsy !== undefined, "no autopsy"],
    [endsItself || end.trace?.autopsy?.source === "live", "the autopsy does not know its place"],
    [isSiblingAlive, "a sibling was disturbed"],
  ];
  return checks.flatMap(([isRight, problem]) => (isRight ? [] : [problem]));
}

/** It says what it does before it does it, where the machine lets it begin before its timeout. */
function isWatched(killCase: KillCase, { end }: LaneResult): boolean {
  return killCase.isImport === true || end.trace?.view?.vars?.["doing"] === killCase.do;
}

function latenessOf({ outcome, withinMs }: KillCase, { gone, endedAfterMs }: LaneResult): string[] {
  const isRecordedLate = outcome === "timed_out" && endedAfterMs > 250;
  return [
    ...(gone.latencyMs > withinMs ? [`dead after ${gone.latencyMs} ms`] : []),
    ...(isRecordedLate ? [`recorded after ${endedAfterMs} ms`] : []),
  ];
}

/** The innermost frame that can be told is in the file that does it. */
function isItsPlace({ isImport }: KillCase, { stack = [] }: KillReceipt): boolean {
  const file = isImport ? "spin-on-import.ts" : "actions.ts";
  return stack[0]?.file.endsWith(`/lib/${file}`) === true;
}

/** What still lives of it, as seen from outside. */
async function livingSigns(pid: number, { path, end }: LaneResult): Promise<string[]> {
  const signs: string[] = [];
  const burning = await burningThreads(pid);
  if (burning > 0) signs.push(`${burning} threads burn`);
  const groups = markedProcesses(`SERENDIPITY_JOB_PROCESS=matrix-${pid}/`);
  for (const group of groups) {
    const inside = await burningThreads(group);
    if (inside > 0) signs.push(`${inside} threads of process ${group} burn`);
  }
  if (await grows(path)) signs.push("its file grows");
  return end.outcome === "succeeded" ? ["it succeeded", ...signs] : signs;
}

async function grows(path: string): Promise<boolean> {
  if (!existsSync(path) || !statSync(path).isFile()) return false;
  const before = statSync(path).size;
  await delay(STILL_MS);
  return statSync(path).size !== before;
}
