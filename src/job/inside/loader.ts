// Picks how this runtime loads job files; each way is a module the other runtime cannot import.

import type { AskSource } from "../wire/source-link.ts";

export interface Loader {
  /** Readies a job worker for job files. */
  provideSdk(): Promise<void>;
  /** From here on modules of `jobsDir`, a real path, are loaded as `ask` says. */
  rewriteSources(jobsDir: string, ask: AskSource): void;
}

export function openLoader(): Promise<Loader> {
  const isBun = process.versions["bun"] !== undefined;
  return isBun ? import("./loader-bun.ts") : import("./loader-hooks.ts");
}
