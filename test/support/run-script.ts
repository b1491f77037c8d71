// Runs a script of the tests as a process of its own, and expects it to end by itself.
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { patienceMs } from "./patience.ts";

export interface ScriptSpec {
  /** Program and arguments before the script's path. */
  readonly command: readonly string[];
  readonly script: URL;
  /** The script's one argument, as JSON. */
  readonly data: unknown;
}

/** This Bun, as the platform starts it. */
export const BUN: readonly string[] = [process.execPath, "--no-install"];

/** After its first output, which it writes when all is done, a script has nothing left that could keep it. */
const LINGERS_MS = 15_000;

/** What it wrote to standard output; rejects when it fails, or does not end in time. */
export function runScript(spec: ScriptSpec): Promise<string> {
  const [program = "", ...args] = spec.command;
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const child = spawn(program, [...args, fileURLToPath(spec.script), JSON.stringify(spec.data)]);
  const output: Buffer[] = [];
  const errors: Buffer[] = [];
  const kill = () => child.kill("SIGKILL");
  const timers = [setTimeout(kill, patienceMs())];
  child.stdout.once("data", () => timers.push(setTimeout(kill, LINGERS_MS)));
  child.stdout.on("data", (chunk: Buffer) => output.push(chunk));
  child.stderr.on("data", (chunk: Buffer) => errors.push(chunk));
  child.once("error", reject);
  child.once("close", (code, signal) => {
    for (const timer of timers) clearTimeout(timer);
    const text = Buffer.concat(output).toString();
    if (code === 0) return resolve(text);
    reject(new Error(`${signal ?? `exit ${code}`}: ${text}${Buffer.concat(errors).toString()}`));
  });
  return promise;
}
