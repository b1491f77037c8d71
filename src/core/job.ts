// A job as the catalogue knows it: everything about it that is data.
import type { RetryPolicy } from "./task.ts";

/** `warm` and `fresh` are threads of the executor, `process` is a process of its own. */
export const ISOLATIONS = ["warm", "fresh", "process"] as const;
export type Isolation = (typeof ISOLATIONS)[number];

/** How much of where it is a job notes while it runs. */
export const TRACES = ["off", "functions", "lean", "full"] as const;
export type Trace = (typeof TRACES)[number];

/** One row of `job_definitions`. */
export interface JobDefinition {
  readonly name: string;
  readonly aliases: readonly string[];
  /** JSON Schema of `params`; null accepts anything. */
  readonly params: Readonly<Record<string, unknown>> | null;
  /** Caps the task's own timeout. */
  readonly timeoutMs: number | null;
  /** Overrides the application's retry policy. */
  readonly retry: RetryPolicy | null;
  readonly isolation: Isolation;
  /** Lowercase hex SHA-256 of the job file. */
  readonly sourceHash: string;
  /** Its files whose lines cannot be watched live although it is traced: the file itself, and what it imports. */
  readonly untraced: readonly UntracedFile[];
  /** Keys whose values are never shown, besides those that look like secrets. */
  readonly redact?: readonly string[];
}

export interface UntracedFile {
  /** Absolute path. */
  readonly file: string;
  /** Why it runs as it is. */
  readonly note: string;
}

/** A job file that could not be taken into the catalogue, and why. */
export interface BadJobFile {
  readonly file: string;
  readonly message: string;
}
