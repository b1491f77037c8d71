// What this runtime can do to a job worker.
import type { Config } from "../config/config.ts";

/** Deno's `terminate()` resolves at once and leaves a busy thread burning; Bun's kills it. */
export function canKillThreads(): boolean {
  return !("Deno" in globalThis);
}

/** Why no job may run on a thread of an executor with this configuration; null when it may. */
export function whyNoThreads(config: Pick<Config, "allowUnkillable">): string | null {
  if (canKillThreads() || config.allowUnkillable) return null;
  return 'Deno cannot kill a busy thread: leave isolation out or say "process", or set ALLOW_UNKILLABLE=1';
}

/** `Bun` or `Deno`. */
export function runtimeName(): string {
  return "Deno" in globalThis ? "Deno" : "Bun";
}

export function runtimeVersion(): string {
  const { bun, deno } = process.versions as Readonly<Record<string, string | undefined>>;
  return deno ?? bun ?? process.version;
}
