// Gets the sources of jobs ready to note where they are, and says in the log which of them do not.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { messageOf } from "../../core/errors.ts";
import type { Logger } from "../../core/logger.ts";
import { type LiveSources, openLiveSources } from "./sources.ts";

export interface Tracing {
  /** Null: nothing can be kept on disk, so jobs run as they are. */
  readonly sources: LiveSources | null;
  /** Where copies of code are kept; null with it. */
  readonly folder: string | null;
  close(): void;
}

/** `cacheDir` undefined: a temporary folder, removed at the end. Never rejects: jobs run without it, too. */
export async function openTracing(cacheDir: string | undefined, logger: Logger): Promise<Tracing> {
  try {
    const folder = cacheDir ?? mkdtempSync(join(tmpdir(), "serendipity-job-"));
    const sources = tellNotes(await openLiveSources(folder), logger);
    const close = () => {
      if (cacheDir === undefined) rmSync(folder, { recursive: true, force: true });
    };
    return { sources, folder, close };
  } catch (thrown) {
    const why = { error: messageOf(thrown) };
    logger.warn(why, "jobs run without live lines: their sources cannot be rewritten");
    return { sources: null, folder: null, close: () => undefined };
  }
}

/** Each file and reason is told once. */
function tellNotes(sources: LiveSources, logger: Logger): LiveSources {
  const told = new Set<string>();
  return {
    findTable: sources.findTable,
    prepare(path, mode) {
      const source = sources.prepare(path, mode);
      if (source.kind === "rewritten" || told.has(`${path} ${source.note}`)) return source;
      told.add(`${path} ${source.note}`);
      logger.warn({ file: path }, `a file of jobs runs without live lines: ${source.note}`);
      return source;
    },
  };
}
