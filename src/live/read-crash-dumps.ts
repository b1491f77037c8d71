// Reads what killed executors left on this machine: where their attempts were at that very moment.
import { readFileSync, rmSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import type { Ran } from "../core/attempt.ts";
import type { FindPlace, LastPlace } from "../core/last-place.ts";
import { attemptIn, LIVE_BYTES, liveMemoryOf } from "../job/wire/live-memory.ts";
import type { LoadedSource } from "../job/wire/prepared-source.ts";
import { type DumpNote, filesIn, MEMORY_FILE, NOTES_FILE } from "./crash-dump.ts";
import { readExcerpts } from "./excerpts.ts";
import type { LocationTable } from "./locations.ts";
import { readLive } from "./reader.ts";

/** A folder that changed since may belong to an executor that is just starting. */
const LEAST_AGE_MS = 600_000;
const MOST_FRAMES = 100;

/** Where attempts were whose executors left something in one of the folders. Reads when it is first asked. */
export function placesIn(folders: () => readonly string[]): FindPlace {
  let files: ReadonlyMap<number, string> | null = null;
  return (attemptId) => {
    files ??= findFiles(folders());
    const file = files.get(attemptId);
    return file === undefined ? undefined : readPlace(file);
  };
}

/** The folders of executors under `parent`, each named like its executor. */
export function foldersIn(parent: string): string[] {
  return filesIn(parent).map((name) => join(parent, name));
}

/** Removes what executors left that are none of these. */
export function removeDeadDumps(parent: string, living: readonly string[]): void {
  const before = Date.now() - LEAST_AGE_MS;
  for (const folder of foldersIn(parent)) {
    const stats = statSync(folder, { throwIfNoEntry: false });
    const isOld = stats !== undefined && stats.mtimeMs < before;
    if (isOld && !living.includes(basename(folder))) removeFolder(folder);
  }
}

export function removeFolder(folder: string): void {
  rmSync(folder, { recursive: true, force: true });
}

/** The memories by the attempt that ran there. */
function findFiles(folders: readonly string[]): ReadonlyMap<number, string> {
  const found = new Map<number, string>();
  for (const folder of folders) {
    for (const name of filesIn(folder).filter((it) => it.endsWith(MEMORY_FILE))) {
      const file = join(folder, name);
      const attemptId = isLegible(file) ? attemptIn(readMemory(file)) : 0;
      if (attemptId > 0) found.set(attemptId, file);
    }
  }
  return found;
}

/** An executor of another release may have laid its memory out in another way. */
function isLegible(file: string): boolean {
  return statSync(file, { throwIfNoEntry: false })?.size === LIVE_BYTES;
}

function readMemory(file: string): Int32Array {
  const { buffer, byteOffset, byteLength } = readFileSync(file);
  return liveMemoryOf(buffer.slice(byteOffset, byteOffset + byteLength)).words;
}

/** Nothing of it may keep the end of an attempt from being written. */
function readPlace(file: string): LastPlace | undefined {
  try {
    const notes = readNotes(file.slice(0, -MEMORY_FILE.length) + NOTES_FILE);
    const sources = new Map<string, LoadedSource>(notes.map((note) => [note.path, note]));
    const tables = new Map(notes.flatMap(tableOf));
    const { frames, state, waiting } = readLive(readMemory(file), (number) => tables.get(number));
    if (frames.length === 0) return;
    const place = {
      state,
      frames: frames.slice(0, MOST_FRAMES),
      ...(waiting.length > 1 ? { waiting: waiting.slice(0, MOST_FRAMES) } : {}),
      ran: ranOf(notes),
    };
    return { place, excerpts: readExcerpts(frames, (path) => sources.get(path)) };
  } catch {
    return;
  }
}

function readNotes(file: string): DumpNote[] {
  const lines = readFileSync(file, "utf8").split("\n");
  // The last one may have been cut off.
  return lines.slice(0, -1).map((line) => JSON.parse(line) as DumpNote);
}

function tableOf({ copy }: DumpNote): [number, LocationTable][] {
  if (copy === undefined) return [];
  const table = JSON.parse(readFileSync(`${copy}.json`, "utf8")) as LocationTable;
  return [[table.fileNumber, table]];
}

/** A job worker loads its job first. */
function ranOf([job]: readonly DumpNote[]): Ran {
  const { runtime = "", version = "", hash = null } = job ?? {};
  return { runtime, version, sourceHash: hash };
}
