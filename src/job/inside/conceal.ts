// Takes away from job code the ways to speak as the platform: its ports, its process, and the environment.
import { threads } from "../wire/worker-threads.ts";

/**
 * The platform talks over a port of its own that no job can name; what is left, `parentPort` and `postMessage`,
 * would only let a job flood its executor.
 */
export function concealParentPort(): void {
  // Deno's has methods of its own; Bun's cannot be changed, but nobody has seen it yet.
  if (threads.parentPort !== null) define(threads.parentPort, "postMessage", () => undefined);
  define(threads, "parentPort", null);
  Reflect.deleteProperty(globalThis, "postMessage");
}

/** Deno's `env` shows the process's variables whatever the thread was given; Bun's shows the thread's. */
export function concealProcessEnv(env: Readonly<Record<string, string | undefined>>): void {
  const deno = (globalThis as { readonly Deno?: object }).Deno;
  if (deno === undefined) return;
  const shown = {
    get: (name: string) => env[name],
    has: (name: string) => env[name] !== undefined,
    toObject: () => ({ ...env }),
  };
  define(deno, "env", shown);
}

/**
 * A job that means to end its own process ends its job worker instead, as crashed: the process is the executor's, and
 * in process isolation the main thread in it still has a last word to say. What speaks over fork IPC is taken away.
 */
export function concealOwnProcess(crash: (why: string) => never): void {
  const kill = process.kill.bind(process);
  define(process, "abort", () => crash("process.abort()"));
  define(process, "kill", (pid: number, signal?: string | number) => {
    const isOwn = [process.pid, -process.pid, 0].includes(pid) && signal !== 0;
    return isOwn ? crash(`process.kill(${pid}, ${signal ?? "SIGTERM"})`) : kill(pid, signal);
  });
  for (const key of ["send", "disconnect", "channel"]) define(process, key, undefined);
}

function define(target: object, key: string, value: unknown): void {
  Reflect.defineProperty(target, key, { value, configurable: false, writable: false });
}
