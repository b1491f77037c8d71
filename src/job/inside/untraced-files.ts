// Notes which files of a job are loaded as they are although rewritten ones were asked for, and why.
import type { UntracedFile } from "../../core/job.ts";
import type { AskSource } from "../wire/source-link.ts";

const MOST_FILES = 100;
const UNASKED = "the runtime loaded it without asking: a package.json above it says it is CommonJS";

export interface Untraced {
  /** Listens to the answers about sources. */
  watch(ask: AskSource): AskSource;
  /** Empty where nothing was to be rewritten. */
  list(): readonly UntracedFile[];
}

/** `file` is the job's own: that it is never asked about tells something, too. */
export function createUntraced(file: string): Untraced {
  const notes = new Map<string, string>();
  let isAsked: boolean | null = null;
  return {
    watch(ask) {
      isAsked = false;
      return (path) => {
        const source = ask(path);
        if (path === file) isAsked = true;
        if (source.kind === "plain" && notes.size < MOST_FILES) notes.set(path, source.note);
        return source;
      };
    },
    list() {
      const found = [...notes].map(([path, note]) => ({ file: path, note: note.slice(0, 300) }));
      return isAsked === false ? [{ file, note: UNASKED }, ...found] : found;
    },
  };
}
