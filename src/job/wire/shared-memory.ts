// The memory a job worker shares with its owner: where it is and what it said, readable while its code spins.

/** Where an attempt stands; both sides move it, each by compare-and-swap. */
export const PHASES = { idle: 0, offered: 1, running: 2, ended: 3 } as const;

/** Numbers at the start of the memory, by place. */
export const SHARED_WORDS = {
  phase: 0,
  /** Id of the attempt that is offered or runs. */
  attempt: 1,
  /** How many times a `ctx` await of this attempt came back. */
  round: 2,
  /** `ctx` calls of ended attempts since the thread began. */
  dropped: 3,
  /** Bytes ever written to and dropped from the ring of events, modulo 2^32. */
  ringHead: 4,
  ringTail: 5,
  /** The same for the ring of debug lines. */
  debugHead: 6,
  debugTail: 7,
  /** Seq of the newest event, modulo 2^32; stored after its bytes. */
  lastSeq: 8,
  /** Processor time of its thread, ms + 1, noted when its code ends it: afterwards the system knows nothing of it. */
  cpuAtExit: 9,
} as const;

/** Null while it has not ended, or could not note it. */
export function cpuAtExit({ words }: Pick<SharedMemory, "words">): number | null {
  const noted = Atomics.load(words, SHARED_WORDS.cpuAtExit);
  return noted === 0 ? null : noted - 1;
}

const WORD_BYTES = 128;
const CELL_BYTES = { stack: 16_384, calls: 8_192, vars: 81_920, progress: 2_048 } as const;
/** A power of two, so that positions modulo 2^32 wrap in step with places in the ring. */
export const RING_BYTES = 262_144;
/** Debug lines have their own, so that a flood of them pushes out nothing else. Also a power of two. */
const DEBUG_BYTES = 65_536;

const ALL_CELLS_BYTES = Object.values(CELL_BYTES).reduce((sum, bytes) => sum + bytes, 0);
const MEMORY_BYTES = WORD_BYTES + ALL_CELLS_BYTES + RING_BYTES + DEBUG_BYTES;

/** The parts of the memory; the same layout on both sides. */
export interface SharedMemory {
  readonly buffer: ArrayBufferLike;
  readonly words: Int32Array;
  /** The stack of the last `ctx` call, as the engine prints it. */
  readonly stack: TextCell;
  /** The calls of the platform that are under way, as JSON. */
  readonly calls: TextCell;
  /** What was watched last, as JSON. */
  readonly vars: TextCell;
  readonly progress: TextCell;
  readonly ring: Uint8Array;
  readonly debugRing: Uint8Array;
}

/** One text with one writer: `words[0]` is odd while it is being written, `words[1]` its length in bytes. */
export interface TextCell {
  readonly words: Int32Array;
  readonly bytes: Uint8Array;
}

/** Makes the memory, or looks at the one that is given. */
export function openSharedMemory(
  buffer: ArrayBufferLike = new SharedArrayBuffer(MEMORY_BYTES),
): SharedMemory {
  let offset = WORD_BYTES;
  const cell = (size: number): TextCell => {
    const words = new Int32Array(buffer, offset, 2);
    const bytes = new Uint8Array(buffer, offset + 8, size - 8);
    offset += size;
    return { words, bytes };
  };
  return {
    buffer,
    words: new Int32Array(buffer, 0, WORD_BYTES / 4),
    stack: cell(CELL_BYTES.stack),
    calls: cell(CELL_BYTES.calls),
    vars: cell(CELL_BYTES.vars),
    progress: cell(CELL_BYTES.progress),
    ring: new Uint8Array(buffer, offset, RING_BYTES),
    debugRing: new Uint8Array(buffer, offset + RING_BYTES, DEBUG_BYTES),
  };
}

/** For a copy of one, shared with nobody: V8 does not count shared memory, and lets hundreds of megabytes pile up. */
export function openMemoryCopy(): SharedMemory {
  return openSharedMemory(new ArrayBuffer(MEMORY_BYTES));
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Writes a text; what does not fit is cut, at a whole character. */
export function writeText(cell: TextCell, text: string): void {
  Atomics.add(cell.words, 0, 1);
  cell.words[1] = encoder.encodeInto(text, cell.bytes).written;
  Atomics.add(cell.words, 0, 1);
}

/** Reads a text, or null when its writer did not hold still for four looks (or was killed while writing). */
export function readText(cell: TextCell): string | null {
  for (let look = 0; look < 4; look++) {
    const before = Atomics.load(cell.words, 0);
    const copy = cell.bytes.slice(0, cell.words[1]);
    if (before % 2 === 0 && Atomics.load(cell.words, 0) === before) return decoder.decode(copy);
  }
  return null;
}

/** Empties all that belongs to one attempt. Only while no attempt runs. */
export function clearAttempt(memory: SharedMemory): void {
  const { words, stack, calls, vars, progress } = memory;
  const { round, ringHead, ringTail, debugHead, debugTail, lastSeq } = SHARED_WORDS;
  for (const word of [round, ringHead, ringTail, debugHead, debugTail, lastSeq]) {
    Atomics.store(words, word, 0);
  }
  for (const cell of [stack, calls, vars, progress]) cell.words.fill(0);
}
