// Picks how this runtime loads job files; each way is a module the other runtime cannot import.

import type { Bundle } from "./bundle.ts";
import type { AskSource } from "./live/source-link.ts";

export interface Loader {
  /** Makes one of a module of ours, or null where that cannot be done. Never in a job worker. */
  bundle(path: string): Promise<Bundle | null>;
  /** Readies a job worker for job files. */
  provideSdk(): Promise<void>;
  /** From here on modules of `jobsDir`, a real path, are loaded as `ask` says. */
  rewriteSources(jobsDir: string, ask: AskSource): void;
}

export function openLoader(): Promise<Loader> {
  const isBun = process.versions["bun"] !== undefined;
  return isBun ? import("./loader-bun.ts") : import("./loader-hooks.ts");
}
