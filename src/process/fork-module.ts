// Starts a module of ours in a process of its own, at the head of its own group, with fork's kind of IPC.
import { type ChildProcess, spawn } from "node:child_process";
import { parentArguments } from "./orphaned.ts";

/**
 * Not `fork`: on Deno it adds `--unstable-detect-cjs`, and then a file with no package.json that says `"type": "module"`
 * is loaded past all module hooks the first time. On Bun, `--no-install`: it would fetch missing packages at run time.
 */
const FLAGS = "Deno" in globalThis ? ["run", "-A"] : ["--no-install", "--no-env-file"];

/** `file` is a path, `env` the whole environment of the process. */
export function forkModule(
  file: string,
  { env }: { readonly env: Readonly<Record<string, string>> },
): ChildProcess {
  return spawn(process.execPath, [...FLAGS, file, ...parentArguments()], {
    detached: true,
    env,
    stdio: ["ignore", "inherit", "inherit", "ipc"],
    serialization: "json",
  });
}
