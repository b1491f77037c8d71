// Notes the frames of functions that await: they leave the stack while they are suspended, and come back to it alone.
import {
  FRAME,
  FRAME_BITS,
  FRAME_COUNT,
  FRAME_MASK,
  frameAt,
  HANDLES,
  LOCATIONS,
  SLOT_MASK,
  WORDS,
} from "./memory.ts";
import { CALLS } from "./names.ts";

/** How far down the stack a new frame looks for the async frame that called it. */
const SEARCH_DEPTH = 64;
const MAX_SERIAL = 2 ** (31 - FRAME_BITS) - 1;
/** All but the sign, which in the table means that the frame is suspended. */
const RUNNING = 0x7fffffff;

/** The calls of functions that await. A handle of 0 is that of a frame that found the table full. */
export function createAsyncFrames(words: Int32Array) {
  const table = createTable(words);

  /** A frame that was forgotten by a reset has no entry any more. */
  const note = (handle: number, location: number): void => {
    const entry = frameAt(handle);
    if (words[entry + FRAME.handle] === handle) words[entry + FRAME.location] = location;
  };

  const takePlace = (depth: number, handle: number, location: number): number => {
    words[LOCATIONS + (depth & SLOT_MASK)] = location;
    words[HANDLES + (depth & SLOT_MASK)] = handle;
    words[WORDS.depth] = depth;
    note(handle, location & RUNNING);
    return depth;
  };

  const open = (depth: number, location: number): number => {
    const handle = table.take(depth, location & RUNNING);
    words[HANDLES + (depth & SLOT_MASK)] = handle;
    return handle;
  };

  const calls = {
    /** Adds the frame that was just entered to the table. */
    [CALLS.open]: open,
    [CALLS.park]: (depth: number, handle: number, location: number): number => {
      note(handle, location);
      if (depth !== 0) words[WORDS.depth] = depth - 1;
      return 0;
    },
    /** Who awaited comes back on an empty stack, whatever an overflow or a failed import has left there. */
    [CALLS.resume]: (handle: number, location: number): number => takePlace(1, handle, location),
    /** In a block that may be reached with or without a suspension before. */
    [CALLS.regain]: (depth: number, handle: number, location: number): number =>
      takePlace(depth === 0 ? 1 : depth, handle, location),
    /** In an async generator, which has no entry while it is suspended at a `yield`. */
    [CALLS.reopen]: (depth: number, handle: number, location: number): number => {
      if (!table.has(handle)) return open(depth, location);
      takePlace(depth, handle, location);
      return handle;
    },
    [CALLS.close]: (depth: number, handle: number): number => {
      if (depth !== 0) words[WORDS.depth] = depth - 1;
      table.free(handle);
      return 0;
    },
  };
  return { calls, reset: table.reset };
}

/** Entries are taken in turn, so that one that was given back keeps its words for as long as possible. */
function createTable(words: Int32Array) {
  let last = 0;
  let serial = 0;

  const callerOf = (depth: number): number => {
    const end = Math.max(0, depth - SEARCH_DEPTH);
    for (let at = depth - 1; at > end; at--) {
      const isAsync = (words[LOCATIONS + (at & SLOT_MASK)] as number) < 0;
      if (isAsync) return words[HANDLES + (at & SLOT_MASK)] as number;
    }
    return 0;
  };

  /** Only asked while there is one. */
  const nextFree = (): number => {
    let index = last;
    do index = index === FRAME_MASK ? 1 : index + 1;
    while (words[frameAt(index) + FRAME.location] !== 0);
    last = index;
    return index;
  };

  const has = (handle: number): boolean => {
    const entry = frameAt(handle);
    return words[entry + FRAME.handle] === handle && words[entry + FRAME.location] !== 0;
  };

  const count = (word: number, by: number): void => {
    words[word] = Math.max(0, (words[word] as number) + by);
  };

  return {
    has,
    take(depth: number, location: number): number {
      if ((words[WORDS.tracked] as number) >= FRAME_COUNT - 1) {
        count(WORDS.untracked, 1);
        return 0;
      }
      count(WORDS.tracked, 1);
      const index = nextFree();
      serial = serial === MAX_SERIAL ? 1 : serial + 1;
      const handle = (serial << FRAME_BITS) | index;
      const entry = frameAt(index);
      words[entry + FRAME.handle] = handle;
      words[entry + FRAME.parent] = callerOf(depth);
      words[entry + FRAME.location] = location;
      return handle;
    },
    free(handle: number): void {
      if (has(handle)) {
        words[frameAt(handle) + FRAME.location] = 0;
        count(WORDS.tracked, -1);
      } else if (handle === 0) {
        count(WORDS.untracked, -1);
      }
    },
    /** The serial numbers go on, so that no handle of before is taken for one of after. */
    reset(): void {
      words.fill(0);
    },
  };
}
