// Cleans up after this process even when it is killed with -9, so that no server outlives a test run.

import { spawn } from "node:child_process";

/** Stands by in its own session until it is dismissed or this process is gone. */
export type Watchdog = { dismiss(): void };

// A written line means "dismissed"; the end of the pipe without one means that its writer died,
// however that happened. No polling, and no pid of the parent that could be reused.
const STAND_BY = 'trap "" INT TERM HUP; if read -r _; then exit 0; fi; ';

/** Runs a shell script when this process dies before `dismiss()`; `args` are its $1, $2, … */
export function watchOver(script: string, ...args: readonly string[]): Watchdog {
  const child = spawn("/bin/sh", ["-c", STAND_BY + script, "watchdog", ...args], {
    detached: true,
    stdio: ["pipe", "ignore", "ignore"],
  });
  child.on("error", (error) => console.error(`no watchdog: ${error.message}`));
  child.stdin.on("error", () => console.error("a watchdog died before it was dismissed"));
  child.unref();
  return { dismiss: () => child.stdin.end("dismissed\n") };
}
