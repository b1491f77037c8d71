// Starts one real server process in a temporary folder, kills, freezes and restarts it, and never leaves it behind.

import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, existsSync, openSync, readFileSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { patienceMs } from "./patience.ts";
import { watchOver } from "./watchdog.ts";

/** A server that this process started and may do anything to. */
export type PrivateServer = {
  /** The process id; a new one after each restart. */
  readonly pid: number;
  /** Kills with SIGKILL and returns when the process is gone. Its data folder stays. */
  readonly kill9: () => Promise<void>;
  /** Asks it to end (SIGTERM); resolves to its exit code. */
  readonly terminate: () => Promise<number | null>;
  /** What it has written so far. */
  readonly log: () => Promise<string>;
  /** Stops the process without ending it (SIGSTOP): connections stay open and nothing answers. */
  readonly freeze: () => void;
  readonly thaw: () => void;
  /** Starts it again on the same ports and data, and returns when it answers; ends it first with SIGTERM if it still runs. */
  readonly restart: () => Promise<void>;
  /** Kills it and removes its folder. */
  readonly stop: () => Promise<void>;
};

export type ServerSpec = {
  readonly command: string;
  readonly args: readonly string[];
  /** Its own folder, removed by `stop()`. */
  readonly folder: string;
  /** Added to this process's own environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** Resolves when the server answers, throws while it does not. */
  readonly probe: () => Promise<unknown>;
};

type LiveProcess = {
  readonly child: ChildProcess;
  readonly pid: number;
  readonly exited: Promise<void>;
  isAlive(): boolean;
};

const PROBE_EVERY_MS = 10;

/** A new folder for one server's data, socket and log. */
export function makeServerFolder(name: string): Promise<string> {
  return mkdtemp(join(tmpdir(), `serendipity-${name}-`));
}

/** Starts a server and returns when it answers its probe. */
export async function startPrivateServer(spec: ServerSpec): Promise<PrivateServer> {
  let live = await launch(spec);
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    live.child.kill(signal);
    await live.exited;
  };
  const restart = async (): Promise<void> => {
    live.child.kill("SIGCONT");
    await end("SIGTERM");
    live = await launch(spec);
  };
  const stop = async (): Promise<void> => {
    await end("SIGKILL");
    await rm(spec.folder, { recursive: true, force: true });
  };
  return {
    get pid() {
      return live.pid;
    },
    kill9: () => end("SIGKILL"),
    terminate: async () => {
      await end("SIGTERM");
      return live.child.exitCode;
    },
    log: () => readFile(logPath(spec), "utf8"),
    freeze: () => {
      live.child.kill("SIGSTOP");
      waitUntilStopped(live.pid);
    },
    thaw: () => {
      live.child.kill("SIGCONT");
    },
    restart,
    stop,
  };
}

async function launch(spec: ServerSpec): Promise<LiveProcess> {
  const live = await spawnGuarded(spec);
  try {
    await waitUntilReady(spec, live);
    return live;
  } catch (error) {
    live.child.kill("SIGKILL");
    await live.exited;
    const log = await readFile(logPath(spec), "utf8");
    await rm(spec.folder, { recursive: true, force: true });
    throw new Error(`${spec.command} did not start: ${String(error)}\n${log.slice(-2_000)}`, {
      cause: error,
    });
  }
}

async function spawnGuarded(spec: ServerSpec): Promise<LiveProcess> {
  const log = openSync(logPath(spec), "a");
  // Its own session: Ctrl-C reaches us alone, and we end it in order.
  const child = spawn(spec.command, spec.args, {
    cwd: spec.folder,
    env: { ...process.env, ...spec.env },
    detached: true,
    stdio: ["ignore", log, log],
  });
  closeSync(log);
  const { promise: exited, resolve } = Promise.withResolvers<void>();
  child.once("exit", () => resolve());
  const pid = await spawnedPid(child);
  const watchdog = watchOver('kill -9 "$1"; rm -rf "$2"', String(pid), spec.folder);
  child.once("exit", () => watchdog.dismiss());
  child.unref();
  return {
    child,
    pid,
    exited,
    isAlive: () => child.exitCode === null && child.signalCode === null,
  };
}

function spawnedPid(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("spawn", () => resolve(child.pid ?? 0));
  });
}

async function waitUntilReady(spec: ServerSpec, live: LiveProcess): Promise<void> {
  const deadline = performance.now() + patienceMs();
  for (;;) {
    const problem = await spec.probe().then(() => undefined, asError);
    if (problem === undefined) return;
    if (!live.isAlive()) throw new Error("it ended by itself");
    if (performance.now() > deadline) {
      throw new Error(`no answer in ${patienceMs()} ms: ${problem.message}`, {
        cause: problem,
      });
    }
    await delay(PROBE_EVERY_MS);
  }
}

/** A signal takes its time, and a server that is not stopped yet still answers. Only Linux can tell. */
function waitUntilStopped(pid: number): void {
  const deadline = performance.now() + patienceMs();
  while (existsSync(`/proc/${pid}/stat`) && performance.now() < deadline) {
    if (/\) [Tt] /.test(readFileSync(`/proc/${pid}/stat`, "utf8"))) return;
  }
}

function asError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error(String(reason));
}

function logPath(spec: ServerSpec): string {
  return join(spec.folder, "server.log");
}
