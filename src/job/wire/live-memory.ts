// The memory in which a job worker's code notes where it is, one plain store at a time; its owner reads it at any time.

/** Numbers at the start of the memory, by place. */
export const LIVE_WORDS = {
  /** Frames on the stack; 0 while nothing instrumented runs. */
  depth: 0,
  /** Set by the owner just before it kills the job worker: its loops stand still then. */
  stop: 1,
  /** Written before each look at `stop`, so that no engine looks only once for a whole loop. */
  looked: 2,
  /** Id of the attempt that runs, in two halves; 0 while none does. For the reader of the memory after a death. */
  attemptLow: 3,
  attemptHigh: 4,
  /** How many times a frame came back from an await of its own, modulo 2^32. */
  resumed: 5,
} as const;

const HEAD = 16;
/**
 * Frames by depth. Engines overflow earlier, so the outermost frames of a deep recursion are still there, and right
 * again when it has unwound. Pages that are never touched take no memory.
 */
const SLOTS = 65_536;
export const SLOT_MASK = SLOTS - 1;

/**
 * Where the location of the frame at depth d is: `LOCATIONS + (d & SLOT_MASK)`. Of an async frame with an entry in the
 * table it is there; instead of it the slot has its handle, with the sign.
 */
export const LOCATIONS = HEAD;

/** The table of async frames; entry 0 is never used. */
export const FRAMES = LOCATIONS + SLOTS;
export const FRAME_COUNT = 2_048;
export const FRAME_MASK = FRAME_COUNT - 1;

/** The words of one entry of the table. */
export const FRAME = {
  /** A serial number with the index in its low bits: proves that the entry is still of the frame that is meant. */
  handle: 0,
  location: 1,
  /** Handle of the frame that called it; stays after its end, so that its own callees still find their caller. */
  parent: 2,
  /** Where it is on the stack; SUSPENDED while it is in an await, 0 when it has ended. */
  depth: 3,
  size: 4,
} as const;

export const SUSPENDED = -1;

const LENGTH = FRAMES + FRAME_COUNT * FRAME.size;

/** All but the sign. */
export const HANDLE_BITS = 0x7fffffff;
const SIGN = ~HANDLE_BITS;

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

/**
 * The only way to a live memory for the owner of a job worker. Once it let go, the memory may be another's: nothing
 * reaches it any more, however late. Check and use are one step: memory is handed on by the same thread only.
 */
export interface LiveHold {
  /** Null once it let go; to be used at once and never kept. */
  words(): Int32Array | null;
  /** True the first time. */
  letGo(): boolean;
}

export function holdMemory(words: Int32Array): LiveHold {
  let held: Int32Array | null = words;
  return {
    words: () => held,
    letGo() {
      const isHeld = held !== null;
      held = null;
      return isHeld;
    },
  };
}

const HALF = 2 ** 32;

/** Notes whose memory it is; 0: nobody's. */
export function noteAttempt(words: Int32Array, attemptId: number): void {
  words[LIVE_WORDS.attemptLow] = (attemptId % HALF) | 0;
  words[LIVE_WORDS.attemptHigh] = Math.floor(attemptId / HALF);
}

export function attemptIn(words: Int32Array): number {
  const low = (words[LIVE_WORDS.attemptLow] ?? 0) >>> 0;
  return (words[LIVE_WORDS.attemptHigh] ?? 0) * HALF + low;
}

/** Where an async frame's entry begins. */
export function frameAt(handle: number): number {
  return FRAMES + (handle & FRAME_MASK) * FRAME.size;
}

/** What the slot of an async frame has in place of a location. */
export function slotOf(handle: number): number {
  return handle | SIGN;
}

/** Where the frame of a slot is; 0 when its entry is not its own any more. */
export function locationOf(words: Int32Array, slot: number): number {
  if (slot >= 0) return slot;
  const entry = frameAt(slot);
  return words[entry + FRAME.handle] === (slot & HANDLE_BITS)
    ? (words[entry + FRAME.location] ?? 0)
    : 0;
}

/** Makes sure that entry 0 is taken for nobody's, and nobody's handle for its own. */
export function reserveEntry(words: Int32Array): void {
  words[FRAMES + FRAME.handle] = SIGN;
  words[FRAMES + FRAME.depth] = 1;
}
