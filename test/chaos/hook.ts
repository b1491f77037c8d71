// Loaded by every process and consumer thread of the platform in a fault session: takes the cell that is armed.
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { FAILPOINT_HOOK, type Failpoint } from "../../src/core/failpoints.ts";
import type { Cell, Taken } from "./cells.ts";

const folder = process.env["CHAOS_DIR"] ?? "";
// The main process loads this first, and its executor inherits the variable.
process.env["CHAOS_MAIN_PID"] ??= String(process.pid);
/** Long enough for the harness to see the note and to act on a server. */
const STAND_STILL_MS = 400;

const passed = new Set<Failpoint>();

function hook(point: Failpoint): void {
  if (!passed.has(point)) {
    passed.add(point);
    writeFileSync(join(folder, "passed", point), "");
  }
  const cell = armed();
  if (cell?.point === point && take(cell)) suffer(cell);
}

function armed(): Cell | undefined {
  try {
    return JSON.parse(readFileSync(join(folder, "armed"), "utf8")) as Cell;
  } catch {
    return undefined;
  }
}

/** True for one of all that pass the point. */
function take(cell: Cell): boolean {
  const mainPid = Number(process.env["CHAOS_MAIN_PID"] ?? process.pid);
  const program = process.env["CHAOS_PROGRAM"] ?? "";
  const taken: Taken = { ...cell, pid: process.pid, mainPid, program, at: Date.now() };
  try {
    renameSync(join(folder, "armed"), join(folder, `taking.${process.pid}`));
  } catch {
    return false;
  }
  writeFileSync(join(folder, `taking.${process.pid}`), JSON.stringify(taken));
  renameSync(join(folder, `taking.${process.pid}`), join(folder, "taken"));
  return true;
}

function suffer({ fault }: Cell): void {
  if (fault === "kill-self") process.kill(process.pid, "SIGKILL");
  if (fault === "freeze-self") process.kill(process.pid, "SIGSTOP");
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, STAND_STILL_MS);
}

(globalThis as { [FAILPOINT_HOOK]?: typeof hook })[FAILPOINT_HOOK] = hook;
