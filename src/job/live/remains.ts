// What an executor leaves on this machine should it be killed: the live memory of its job workers, in mapped files.
import { randomBytes } from "node:crypto";
import { appendFileSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { LoadedSource } from "../excerpts.ts";
import { runtimeName, runtimeVersion } from "../runtime.ts";
import { mapLiveMemory } from "./map-file.ts";
import { LIVE_BYTES, type LiveMemory } from "./memory.ts";

/** Of one job worker. */
export interface WorkerRemains {
  readonly memory: LiveMemory;
  /** The file that is mapped: whoever maps it too sees the same memory. */
  readonly file: string;
  /** It loads this source; of the first one it is the job. */
  note(source: LoadedSource): void;
  /** Nothing of it runs any more. */
  giveBack(): void;
}

export interface Remains {
  /** Null where no file can be mapped: then nothing outlives the executor but its checkpoints. */
  open(): WorkerRemains | null;
}

/** What is noted in the file beside the memory, one per line. */
export interface RemainsNote extends LoadedSource {
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

/** `folder` belongs to one executor, and is made when something is put there. Files are used again and again. */
export function openRemains(folder: string): Remains {
  const ran = { runtime: runtimeName(), version: runtimeVersion() };
  const free: MappedFile[] = [];

  const note = ({ stem }: MappedFile, source: LoadedSource) => {
    const line = JSON.stringify({ ...source, ...ran } satisfies RemainsNote);
    try {
      appendFileSync(stem + NOTES_FILE, `${line}\n`, { mode: 0o600 });
    } catch {
      // Numbers that nobody can read are of no use.
      rmSync(stem + NOTES_FILE, { force: true });
    }
  };

  return {
    open() {
      const mapped = free.pop() ?? tryMap(folder);
      if (mapped === null) return null;
      return {
        memory: mapped.memory,
        file: mapped.stem + MEMORY_FILE,
        note: (source) => note(mapped, source),
        giveBack() {
          mapped.memory.words.fill(0);
          rmSync(mapped.stem + NOTES_FILE, { force: true });
          free.push(mapped);
        },
      };
    },
  };
}

/** A full or read-only disk must cost the jobs nothing but this. */
function tryMap(folder: string): MappedFile | null {
  const stem = join(folder, prefixOf(process.pid) + randomBytes(8).toString("hex"));
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    // Written in full: a store to a page that a full disk has no room for would kill the process.
    writeFileSync(stem + MEMORY_FILE, new Uint8Array(LIVE_BYTES), { mode: 0o600, flag: "wx" });
  } catch {
    return removed(stem);
  }
  const memory = mapLiveMemory(stem + MEMORY_FILE);
  return memory === null ? removed(stem) : { stem, memory };
}

function prefixOf(pid: number): string {
  return `${pid}-`;
}

/** Removes what one process of this executor left, which is known to be dead for a good reason. */
export function forgetRemains(folder: string, pid: number): void {
  for (const name of filesIn(folder)) {
    if (name.startsWith(prefixOf(pid))) rmSync(join(folder, name), { force: true });
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
