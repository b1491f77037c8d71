// The kill matrix as a table: what each action must come to.
import type { Outcome } from "../../src/core/attempt.ts";

export interface KillCase {
  readonly do: string;
  /** Of an attempt that reaches its timeout. */
  readonly outcome: Outcome;
  /** Longest from the deadline to the proof of death; one engine call must end first where it is more than 250. */
  readonly withinMs: number;
  /** Where only the program can show how it ends on a thread; absent: as anywhere. */
  readonly onThread?: "with its executor" | "by EXECUTOR_RSS_MB";
  /** It never gets past the import of its file, so there is nothing to watch. */
  readonly isImport?: true;
  /** Cheap enough for a hundred repeats. */
  readonly isCheap?: true;
}

/** Whether it takes its executor with it on a thread. */
export function needsExecutor({ onThread }: KillCase): boolean {
  return onThread === "with its executor";
}

/** Bytes must have time to pile up where a limit of memory is to end it. */
export function isAboutMemory({ onThread }: KillCase): boolean {
  return onThread === "by EXECUTOR_RSS_MB";
}

// biome-ignore format: a table is read by its columns
export const CASES: readonly KillCase[] = [
  { do: "for(;;)",                         outcome: "timed_out", withinMs: 250, isCheap: true },
  { do: "for(;;) await 0",                 outcome: "timed_out", withinMs: 250, isCheap: true },
  { do: "promise recursion",               outcome: "timed_out", withinMs: 250 },
  { do: "queueMicrotask recursion",        outcome: "timed_out", withinMs: 250 },
  { do: "setImmediate flood",              outcome: "timed_out", withinMs: 250 },
  { do: "nextTick recursion",              outcome: "timed_out", withinMs: 250 },
  { do: "regex catastrophe",               outcome: "timed_out", withinMs: 2_000 },
  { do: "JSON.parse in a loop",            outcome: "timed_out", withinMs: 2_000 },
  { do: "sort with a spinning comparator", outcome: "timed_out", withinMs: 250 },
  { do: "BigInt growth",                   outcome: "timed_out", withinMs: 250 },
  { do: "a finally block that spins",      outcome: "timed_out", withinMs: 250 },
  { do: "an ignored signal",               outcome: "timed_out", withinMs: 250 },
  { do: "a trapped SIGTERM",               outcome: "timed_out", withinMs: 250 },
  { do: "a top-level import that spins",   outcome: "timed_out", withinMs: 250, isImport: true },
  { do: "a promise that never settles",    outcome: "timed_out", withinMs: 250, isCheap: true },
  { do: "a counter in a file",             outcome: "timed_out", withinMs: 250 },
  { do: "short system calls in a loop",    outcome: "timed_out", withinMs: 250 },
  { do: "system calls in a callback",      outcome: "timed_out", withinMs: 250 },
  { do: "Atomics.wait",                    outcome: "timed_out", withinMs: 250 },
  { do: "WASM loop",                       outcome: "timed_out", withinMs: 250, onThread: "with its executor" },
  { do: "readFileSync of a FIFO",          outcome: "timed_out", withinMs: 250, onThread: "with its executor" },
  { do: "spawnSync sleep",                 outcome: "timed_out", withinMs: 250 },
  { do: "pbkdf2Sync",                      outcome: "timed_out", withinMs: 250, onThread: "with its executor" },
  { do: "a long SQLite query",             outcome: "timed_out", withinMs: 250, onThread: "with its executor" },
  { do: "allocation without end",          outcome: "crashed",   withinMs: 250, onThread: "by EXECUTOR_RSS_MB" },
  { do: "1 GB of postMessage",             outcome: "crashed",   withinMs: 250, onThread: "by EXECUTOR_RSS_MB" },
  { do: "a child that outlives",           outcome: "timed_out", withinMs: 250 },
  { do: "a detached child",                outcome: "timed_out", withinMs: 250 },
  { do: "process.exit",                    outcome: "crashed",   withinMs: 250, isCheap: true },
  { do: "process.abort",                   outcome: "crashed",   withinMs: 250 },
  { do: "kill of its own process",         outcome: "crashed",   withinMs: 250 },
  { do: "a late throw",                    outcome: "crashed",   withinMs: 250, isCheap: true },
  { do: "an unhandled rejection",          outcome: "crashed",   withinMs: 250, isCheap: true },
  { do: "stack overflow",                  outcome: "failed",    withinMs: 250 },
];
