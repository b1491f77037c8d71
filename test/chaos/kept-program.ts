// A program of the platform that is started again whenever it dies.
import { type ChildProcess, spawn } from "node:child_process";
import { openSync, readFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { watchOver } from "../support/watchdog.ts";

const RESTART_MS = 50;
const READY_LIMIT_MS = 30_000;

export interface ProgramSpec {
  readonly main: string;
  readonly log: string;
  readonly env: Readonly<Record<string, string>>;
}

export function keepRunning({ main, log, env }: ProgramSpec) {
  const output = openSync(log, "a");
  let child: ChildProcess;
  let exited: Promise<unknown>;
  let isStopping = false;
  let starts = 0;

  const start = (): void => {
    starts += 1;
    const own = { ...process.env, ...env };
    child = spawn(process.execPath, ["--no-install", main, "start"], {
      env: own,
      stdio: ["ignore", output, output],
    });
    const watchdog = watchOver('kill -9 "$1"', String(child.pid));
    exited = new Promise((resolve) => {
      child.once("exit", () => {
        watchdog.dismiss();
        resolve(undefined);
        if (!isStopping) setTimeout(start, RESTART_MS);
      });
    });
  };
  start();
  return {
    child: () => child,
    restarts: () => starts - 1,
    /** Ends it as an operator would; it is started again. */
    async renew() {
      const old = exited;
      child.kill("SIGTERM");
      await old;
    },
    async stop() {
      isStopping = true;
      child.kill("SIGCONT");
      child.kill("SIGTERM");
      const gone = await Promise.race([exited.then(() => true), delay(20_000)]);
      if (gone !== true) child.kill("SIGKILL");
      await exited;
    },
  };
}

/** The executor of a main process; undefined while it has none. */
export function childOf(pid: number | undefined): number | undefined {
  const [first = ""] = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").split(" ");
  return Number(first) || undefined;
}

export async function untilHealthy(url: string): Promise<void> {
  const endAt = performance.now() + READY_LIMIT_MS;
  for (;;) {
    const response = await fetch(`${url}/healthz`).catch(() => undefined);
    if (response?.ok) return;
    if (performance.now() > endAt) throw new Error(`${url} is not healthy`);
    await delay(50);
  }
}
