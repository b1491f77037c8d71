// Makes `console.*` and raw writes to stdout and stderr of a job's code into log events.
import type { Writable } from "node:stream";
import { cut } from "../wire/cut-text.ts";
import { formatValues, inspectValue, openWritable } from "../wire/intrinsics.ts";

export type ConsoleLevel = "debug" | "info" | "warn" | "error";

/** Gets one line at a time. */
export type HearLine = (level: ConsoleLevel, line: string) => void;

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
    replace(console, method, (...values: unknown[]) => hear(level, formatValues(...values)));
  }
  replace(console, "assert", (condition: unknown, ...values: unknown[]) => {
    if (!condition) hear("error", `Assertion failed ${formatValues(...values)}`);
  });
  const show = (value: unknown) => hear("info", inspectValue(value));
  for (const method of ["dir", "dirxml", "table"]) replace(console, method, show);
  replaceStream("stdout", writer(hear, "info"));
  replaceStream("stderr", writer(hear, "error"));
}

/** What replaces the stream is made when a job first asks for it: streams are dear to load. */
function replaceStream(name: "stdout" | "stderr", write: (chunk: unknown) => boolean): void {
  let stream: Writable | undefined;
  const open = () => Object.assign(openWritable(write), { write, fd: name === "stdout" ? 1 : 2 });
  // Without this Bun makes the true stream before it lets it be replaced: 10 ms of processor time.
  Reflect.set(process, name, null);
  Reflect.defineProperty(process, name, {
    get() {
      stream ??= open();
      return stream;
    },
    configurable: true,
    enumerable: true,
  });
}

function writer(hear: HearLine, level: ConsoleLevel) {
  return (chunk: unknown): boolean => {
    const text = typeof chunk === "string" ? chunk : Buffer.from(chunk as Uint8Array).toString();
    for (const line of cut(text, 16_384).split("\n")) if (line !== "") hear(level, line);
    return true;
  };
}

function replace(target: object, key: string, value: unknown): void {
  Reflect.defineProperty(target, key, { value, configurable: true, writable: true });
}
