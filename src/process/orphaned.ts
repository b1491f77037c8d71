// Tells a forked process that it has lost its parent.

const LOOK_MS = 100;

/** What a parent gives the process that it forks. */
export function parentArguments(): string[] {
  return [String(process.pid)];
}

/**
 * Calls `end` when the parent is gone: as soon as IPC disconnects, and within 100 ms also when that is never said (Deno
 * misses it now and then while a thread is starting).
 */
export function onOrphaned(end: () => void): void {
  const parent = Number(process.argv[2] ?? process.ppid);
  process.on("disconnect", end);
  setInterval(() => {
    if (process.ppid !== parent) end();
  }, LOOK_MS);
}
