// What this runtime can do to a job worker.

/** Deno's `terminate()` resolves at once and leaves a busy thread burning; Bun's kills it. */
export function canKillThreads(): boolean {
  return !("Deno" in globalThis);
}
