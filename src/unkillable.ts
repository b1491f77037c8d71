// Whether this runtime can end a busy thread; where it cannot, jobs are refused.
import type { Config } from "./config.ts";

/** Deno's `terminate()` resolves at once and leaves a busy thread burning; Bun's kills it. */
function canKillThreads(): boolean {
  return !("Deno" in globalThis);
}

/** Why an executor with this configuration runs no jobs; null when it does. */
export function whyJobsAreRefused(config: Pick<Config, "allowUnkillable">): string | null {
  if (canKillThreads() || config.allowUnkillable) return null;
  return "Deno cannot kill a busy thread, so a stuck job would burn for ever: set ALLOW_UNKILLABLE=1 to run jobs all the same, or run on Bun";
}
