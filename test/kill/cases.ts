// The kill matrix as a table: what each action must come to.
import type { Outcome } from "../../src/core/attempt.ts";

export interface KillCase {
  readonly do: string;
  /** Of an attempt that reaches its timeout. */
  readonly outcome: Outcome;
  /** Longest from the deadline to the proof of death; one engine call must end first where it is more than 250. */
  readonly withinMs: number;
  /** On a thread it dies only with its executor, so only the program can show it. */
  readonly needsExecutor?: true;
  /** Not on a thread of a test: it would take the machine's memory. */
  readonly needsProcess?: true;
  /** Cheap enough for a hundred repeats. */
  readonly isCheap?: true;
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
  { do: "BigInt growth",                   outcome: "timed_out", withinMs: 2_000 },
  { do: "a finally block that spins",      outcome: "timed_out", withinMs: 250 },
  { do: "an ignored signal",               outcome: "timed_out", withinMs: 250 },
  { do: "a promise that never settles",    outcome: "timed_out", withinMs: 250, isCheap: true },
  { do: "a counter in a file",             outcome: "timed_out", withinMs: 1_000 },
  { do: "Atomics.wait",                    outcome: "timed_out", withinMs: 250 },
  { do: "WASM loop",                       outcome: "timed_out", withinMs: 250, needsExecutor: true },
  { do: "readFileSync of a FIFO",          outcome: "timed_out", withinMs: 250, needsExecutor: true },
  { do: "spawnSync sleep",                 outcome: "timed_out", withinMs: 250, needsExecutor: true },
  { do: "pbkdf2Sync",                      outcome: "timed_out", withinMs: 250, needsExecutor: true },
  { do: "a long SQLite query",             outcome: "timed_out", withinMs: 250, needsExecutor: true },
  { do: "allocation without end",          outcome: "crashed",   withinMs: 250, needsProcess: true },
  { do: "1 GB of postMessage",             outcome: "crashed",   withinMs: 250, needsProcess: true },
  { do: "a child that outlives",           outcome: "timed_out", withinMs: 250, needsProcess: true },
  { do: "a detached child",                outcome: "timed_out", withinMs: 250, needsProcess: true },
  { do: "process.exit",                    outcome: "crashed",   withinMs: 250, isCheap: true },
  { do: "process.abort",                   outcome: "crashed",   withinMs: 250 },
  { do: "kill of its own process",         outcome: "crashed",   withinMs: 250 },
  { do: "a late throw",                    outcome: "crashed",   withinMs: 250, isCheap: true },
  { do: "an unhandled rejection",          outcome: "crashed",   withinMs: 250, isCheap: true },
  { do: "stack overflow",                  outcome: "failed",    withinMs: 250 },
];
