// Makes `console.*` and raw writes to stdout and stderr of a job's code into log events.
import { format, inspect } from "node:util";
import { cut } from "./error-data.ts";

export type LogLevel = "debug" | "info" | "warn" | "error";

/** Gets one line at a time. */
export type HearLine = (level: LogLevel, line: string) => void;

const LEVELS = {
  log: "info",
  info: "info",
  debug: "debug",
  trace: "debug",
  warn: "warn",
  error: "error",
} as const;

/** Deno does not capture the console of a thread, and a job must not write between the executor's log lines. */
export function captureConsole(hear: HearLine): void {
  for (const [method, level] of Object.entries(LEVELS)) {
    replace(console, method, (...values: unknown[]) => hear(level, format(...values)));
  }
  replace(console, "assert", (condition: unknown, ...values: unknown[]) => {
    if (!condition) hear("error", `Assertion failed ${format(...values)}`);
  });
  const show = (value: unknown) => hear("info", inspect(value));
  for (const method of ["dir", "dirxml", "table"]) replace(console, method, show);
  replace(process.stdout, "write", writer(hear, "info"));
  replace(process.stderr, "write", writer(hear, "error"));
}

function writer(hear: HearLine, level: LogLevel) {
  return (chunk: unknown): boolean => {
    const text = typeof chunk === "string" ? chunk : Buffer.from(chunk as Uint8Array).toString();
    for (const line of cut(text, 16_384).split("\n")) if (line !== "") hear(level, line);
    return true;
  };
}

function replace(target: object, key: string, value: unknown): void {
  Reflect.defineProperty(target, key, { value, configurable: true, writable: true });
}
