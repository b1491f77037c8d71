// Picks how this runtime loads job files; each way is a module the other runtime cannot import.

import type { AskSource } from "./live/source-link.ts";

export interface Loader {
  /** The sdk as one text to hand to job workers, or null where it cannot be made. Never in a job worker. */
  bundleSdk(): Promise<string | null>;
  /** Readies a job worker for job files. */
  provideSdk(text: string | null): Promise<void>;
  /** From here on modules of `jobsDir`, a real path, are loaded as `ask` says. */
  rewriteSources(jobsDir: string, ask: AskSource): void;
}

export function openLoader(): Promise<Loader> {
  const isBun = process.versions["bun"] !== undefined;
  return isBun ? import("./loader-bun.ts") : import("./loader-hooks.ts");
}
