// Gets the sources of jobs ready to note where they are, and says in the log which of them do not.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { messageOf } from "../core/errors.ts";
import type { Logger } from "../core/logger.ts";
import { type LiveSources, openLiveSources } from "./sources.ts";

export interface Tracing {
  /** Null: nothing can be kept on disk, so jobs run as they are. */
  readonly sources: LiveSources | null;
  /** Where copies of code are kept, also for job processes, which make their own; null like `sources`. */
  readonly folder: string | null;
  /** Says that a file runs as it is. */
  readonly note: TellNote;
  close(): void;
}

export type TellNote = (file: string, note: string) => void;

/** `cacheDir` undefined: a temporary folder, removed at the end. Never throws: jobs run without it, too. */
export function openTracing(cacheDir: string | undefined, logger: Logger): Tracing {
  const note = createNotes(logger);
  try {
    const folder = cacheDir ?? mkdtempSync(join(tmpdir(), "serendipity-job-"));
    const sources = withNotes(openLiveSources(folder), note);
    const close = () => {
      if (cacheDir === undefined) rmSync(folder, { recursive: true, force: true });
    };
    return { sources, folder, note, close };
  } catch (thrown) {
    const why = { error: messageOf(thrown) };
    logger.warn(why, "jobs run without live lines: their sources cannot be rewritten");
    return { sources: null, folder: null, note, close: () => undefined };
  }
}

/** Each file and reason is told once. */
function createNotes(logger: Logger): TellNote {
  const told = new Set<string>();
  return (file, note) => {
    if (told.has(`${file} ${note}`)) return;
    told.add(`${file} ${note}`);
    logger.warn({ file }, `a file of jobs runs without live lines: ${note}`);
  };
}

/** Tells of each source that is left as it is, each time it is asked for. */
export function withNotes(sources: LiveSources, tell: TellNote): LiveSources {
  return {
    ...sources,
    async prepare(path, mode) {
      const source = await sources.prepare(path, mode);
      if (source.kind === "plain") tell(path, source.note);
      return source;
    },
  };
}
