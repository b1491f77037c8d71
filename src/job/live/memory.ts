// The memory in which a job worker's code notes where it is, one plain store at a time; its owner reads it at any time.

/** Numbers at the start of the memory, by place. */
export const WORDS = {
  /** Frames on the stack; 0 while nothing instrumented runs. */
  depth: 0,
  /** Async frames in the table. */
  tracked: 1,
  /** Async frames that found the table full. */
  untracked: 2,
  /** Id of the attempt that runs, in two halves; 0 while none does. For whoever finds the memory after a death. */
  attemptLow: 3,
  attemptHigh: 4,
} as const;

const HEAD = 16;
/**
 * Frames by depth. Engines overflow earlier, so the outermost frames of a deep recursion are still there, and right
 * again when it has unwound. Pages that are never touched take no memory.
 */
export const SLOTS = 65_536;
export const SLOT_MASK = SLOTS - 1;

/** Where the location of the frame at depth d is: `LOCATIONS + (d & SLOT_MASK)`. */
export const LOCATIONS = HEAD;
/** Where the handle of the async frame at depth d is; of other frames it means nothing. */
export const HANDLES = LOCATIONS + SLOTS;

/** The table of async frames; entry 0 is never used. */
export const FRAMES = HANDLES + SLOTS;
export const FRAME_COUNT = 2_048;
export const FRAME_MASK = FRAME_COUNT - 1;
export const FRAME_BITS = 11;

/** The words of one entry of the table. */
export const FRAME = {
  /** Serial number << FRAME_BITS | index: proves that the entry is still of the frame that is meant. */
  handle: 0,
  /** 0 when the frame has ended; negative while it is suspended in an await. */
  location: 1,
  /** Handle of the frame that called it; stays after its end, so that its own callees still find their caller. */
  parent: 2,
  size: 4,
} as const;

const LENGTH = FRAMES + FRAME_COUNT * FRAME.size;

/** The sign of a location: its frame is of a function that awaits. */
export const ASYNC_BIT = -0x80000000;

export const LIVE_BYTES = LENGTH * Int32Array.BYTES_PER_ELEMENT;

/** Of a mapped file the buffer is not shared; its bytes are all the same. */
export interface LiveMemory<Buffer = ArrayBufferLike> {
  readonly buffer: Buffer;
  readonly words: Int32Array;
}

/** Makes a memory. */
export function openLiveMemory(): LiveMemory<SharedArrayBuffer> {
  return liveMemoryOf(new SharedArrayBuffer(LIVE_BYTES));
}

/** Looks at one that is there. */
export function liveMemoryOf<B extends ArrayBufferLike>(buffer: B): LiveMemory<B> {
  return { buffer, words: new Int32Array(buffer, 0, LENGTH) };
}

const HALF = 2 ** 32;

/** Notes whose memory it is; 0: nobody's. */
export function noteAttempt(words: Int32Array, attemptId: number): void {
  words[WORDS.attemptLow] = (attemptId % HALF) | 0;
  words[WORDS.attemptHigh] = Math.floor(attemptId / HALF);
}

export function attemptIn(words: Int32Array): number {
  const low = (words[WORDS.attemptLow] ?? 0) >>> 0;
  return (words[WORDS.attemptHigh] ?? 0) * HALF + low;
}

/** Where an async frame's entry begins. */
export function frameAt(handle: number): number {
  return FRAMES + (handle & FRAME_MASK) * FRAME.size;
}
