// Watches a JOBS_DIR while jobs are being written: tells which source files changed, a burst of changes as one.
import { relative, sep } from "node:path";
import { isJobFileName } from "./job-files.ts";

/** What is to be read again. */
export interface ChangedFiles {
  /** True when a file changed that is no job file: any job may import it. */
  readonly isShared: boolean;
}

/** An editor that saves, formats and saves again is done by then. */
const QUIET_MS = 100;

const SOURCE = /\.(?:[cm]?[jt]sx?|json)$/;

/**
 * Starts watching `jobsDir` (a real path) and calls `onChange` once for each burst, one call after the other; what
 * changes during a call is told in the next one. `onChange` must not reject. Ends with the process.
 */
export async function watchFiles(
  jobsDir: string,
  onChange: (changed: ChangedFiles) => Promise<void>,
): Promise<void> {
  const { watch } = await import("chokidar");
  const add = collectBursts(onChange);
  const isIgnored = (path: string) => relative(jobsDir, path).split(sep).some(isHidden);
  const watcher = watch(jobsDir, { ignoreInitial: true, ignored: isIgnored });
  watcher.on("all", (event, path) => {
    if (event === "addDir" || event === "unlinkDir" || !SOURCE.test(path)) return;
    add(!isJobFileName(relative(jobsDir, path)) || path.includes(sep, jobsDir.length + 1));
  });
  await new Promise<void>((resolve) => watcher.once("ready", resolve));
}

function isHidden(name: string): boolean {
  return name === "node_modules" || name.startsWith(".");
}

/** Returns how to note a change; `onChange` follows when nothing was noted for a while. */
function collectBursts(onChange: (changed: ChangedFiles) => Promise<void>) {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let isShared = false;
  let last: Promise<void> = Promise.resolve();

  const end = () => {
    const changed = { isShared };
    isShared = false;
    last = last.then(() => onChange(changed));
  };

  return (ofShared: boolean) => {
    isShared ||= ofShared;
    clearTimeout(timer);
    timer = setTimeout(end, QUIET_MS);
  };
}
