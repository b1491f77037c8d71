// Carries shared memory across a process border: its pages that are not empty, as text.
import { Buffer } from "node:buffer";
import { openMemoryCopy, SHARED_WORDS, type SharedMemory, type TextCell } from "./shared-memory.ts";

/** Offset and base64 of each piece; all else is zero. */
export type MemoryPages = readonly (readonly [offset: number, base64: string])[];

const PAGE_BYTES = 4_096;
const EMPTY = Buffer.alloc(PAGE_BYTES);
const LOOKS = 4;

/** Copies the memory while its writer goes on: what could not be copied whole is marked as being written. */
export function packMemory(memory: SharedMemory): MemoryPages {
  const copy = openMemoryCopy();
  const bytes = new Uint8Array(copy.buffer);
  bytes.set(new Uint8Array(memory.buffer));
  for (const cell of ["stack", "calls", "vars", "progress"] as const) {
    copyCell(memory[cell], copy[cell]);
  }
  // The rings' tails last: what was overwritten during the copy lies before them.
  for (const tail of [SHARED_WORDS.ringTail, SHARED_WORDS.debugTail]) {
    copy.words[tail] = Atomics.load(memory.words, tail);
  }
  return piecesOf(bytes);
}

/** Makes `memory` equal to what was packed. */
export function unpackMemory(memory: SharedMemory, pages: MemoryPages): void {
  const bytes = new Uint8Array(memory.buffer);
  bytes.fill(0);
  for (const [offset, base64] of pages) bytes.set(Buffer.from(base64, "base64"), offset);
}

function copyCell(from: TextCell, to: TextCell): void {
  for (let look = 0; look < LOOKS; look++) {
    const before = Atomics.load(from.words, 0);
    to.bytes.set(from.bytes);
    to.words[1] = from.words[1] ?? 0;
    to.words[0] = before;
    if (before % 2 === 0 && Atomics.load(from.words, 0) === before) return;
  }
  to.words[0] = 1;
}

function piecesOf(bytes: Uint8Array): MemoryPages {
  const pieces: (readonly [number, string])[] = [];
  for (let start = 0; start < bytes.length; start += PAGE_BYTES) {
    const page = Buffer.from(bytes.subarray(start, start + PAGE_BYTES));
    if (!page.equals(EMPTY.subarray(0, page.length))) {
      pieces.push([start, page.toString("base64")]);
    }
  }
  return pieces;
}
