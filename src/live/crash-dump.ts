// What an executor leaves on this machine should it be killed: the live memory of its job workers, in mapped files.
import { randomBytes } from "node:crypto";
import { appendFileSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { holdMemory, LIVE_BYTES, type LiveHold, type LiveMemory } from "../job/wire/live-memory.ts";
import { mapLiveMemory } from "../job/wire/map-file.ts";
import type { LoadedSource } from "../job/wire/prepared-source.ts";
import { runtimeName, runtimeVersion } from "../process/runtime.ts";

/** Of one job worker; without effect once it is let go, which is to be done only when nothing of it runs any more. */
export interface WorkerDump extends LiveHold {
  /** The file that is mapped: a process that maps it too sees the same memory. */
  readonly file: string;
  /** It loads this source; of the first one it is the job. */
  note(source: LoadedSource): void;
}

export interface CrashDumps {
  /** Null where no file can be mapped: then nothing outlives the executor but its checkpoints. */
  open(): WorkerDump | null;
}

/** What is noted in the file beside the memory, one per line. */
export interface DumpNote extends LoadedSource {
  readonly runtime: string;
  readonly version: string;
}

export const MEMORY_FILE = ".live";
export const NOTES_FILE = ".sources";

interface MappedFile {
  /** Its path without the ending. */
  readonly stem: string;
  readonly memory: LiveMemory;
}

/**
 * `folder` belongs to one executor, and is made when something is put there. Files are used again and again. `holder`
 * tells its processes apart, by their marks: a process id may be a successor's soon.
 */
export function openCrashDumps(folder: string, holder = "own"): CrashDumps {
  const ran = { runtime: runtimeName(), version: runtimeVersion() };
  const free: MappedFile[] = [];

  const note = ({ stem }: MappedFile, source: LoadedSource) => {
    const line = JSON.stringify({ ...source, ...ran } satisfies DumpNote);
    try {
      appendFileSync(stem + NOTES_FILE, `${line}\n`, { mode: 0o600 });
    } catch {
      // Numbers that nobody can read are of no use.
      rmSync(stem + NOTES_FILE, { force: true });
    }
  };

  return {
    open() {
      const mapped = free.pop() ?? tryMap(join(folder, prefixOf(holder)));
      if (mapped === null) return null;
      const { words, letGo } = holdMemory(mapped.memory.words);
      return {
        words,
        file: mapped.stem + MEMORY_FILE,
        note: (source) => words() !== null && note(mapped, source),
        letGo() {
          const isFirst = letGo();
          if (isFirst) {
            mapped.memory.words.fill(0);
            rmSync(mapped.stem + NOTES_FILE, { force: true });
            free.push(mapped);
          }
          return isFirst;
        },
      };
    },
  };
}

/** A full or read-only disk must cost the jobs nothing but this. */
function tryMap(start: string): MappedFile | null {
  const stem = start + randomBytes(8).toString("hex");
  try {
    mkdirSync(dirname(stem), { recursive: true, mode: 0o700 });
    // Written in full: a store to a page that a full disk has no room for would kill the process.
    writeFileSync(stem + MEMORY_FILE, new Uint8Array(LIVE_BYTES), { mode: 0o600, flag: "wx" });
  } catch {
    return removed(stem);
  }
  const memory = mapLiveMemory(stem + MEMORY_FILE);
  return memory === null ? removed(stem) : { stem, memory };
}

function prefixOf(holder: string): string {
  return `${holder.replaceAll("/", "-")}-`;
}

/** Removes what one process of this executor left, which is known to be dead for a good reason. */
export function removeDump(folder: string, holder: string): void {
  for (const name of filesIn(folder)) {
    if (name.startsWith(prefixOf(holder))) rmSync(join(folder, name), { force: true });
  }
}

/** The names in a folder that may not be there. */
export function filesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function removed(stem: string): null {
  rmSync(stem + MEMORY_FILE, { force: true });
  return null;
}
