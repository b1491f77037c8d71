// Notes the frames of functions that await: they leave the stack while they are suspended, and come back to it alone.
import {
  FRAME,
  FRAME_COUNT,
  frameAt,
  HANDLE_BITS,
  LIVE_WORDS,
  LOCATIONS,
  reserveEntry,
  SLOT_MASK,
  SUSPENDED,
  slotOf,
} from "../../job/wire/live-memory.ts";
import { CALLS } from "../../job/wire/names.ts";

/** How far down the stack a new frame looks for the async frame that called it. */
const SEARCH_DEPTH = 64;
/** How many frames do not search a full table again. */
const PATIENCE = 64;

/**
 * The calls of functions that await. All but the location of a frame is in its entry of the table; what the function
 * itself keeps is its handle. Without an entry, because the table was full, that is its negative depth, and 0 while
 * it is suspended; one that a reset has forgotten gets a new entry when it comes back.
 */
export function createAsyncFrames(words: Int32Array) {
  const findFree = createSearch(words);
  let last = 0;
  reserveEntry(words);

  const callerOf = (depth: number): number => {
    const end = Math.max(0, depth - SEARCH_DEPTH);
    for (let at = depth - 1; at > end; at--) {
      const slot = words[LOCATIONS + (at & SLOT_MASK)] as number;
      if (slot < 0) return slot & HANDLE_BITS;
    }
    return 0;
  };

  /** Entries are taken in turn, so that one that was given back keeps its words for as long as possible. */
  const open = (location: number): number => {
    const depth = (words[LIVE_WORDS.depth] as number) + 1;
    let handle = (last + 1) & HANDLE_BITS;
    let entry = frameAt(handle);
    if (words[entry + FRAME.depth] !== 0) {
      handle = findFree(handle);
      if (handle === 0) return openWithout(depth, location);
      entry = frameAt(handle);
    }
    last = handle;
    words[entry + FRAME.location] = location;
    words[entry + FRAME.parent] = callerOf(depth);
    words[entry + FRAME.handle] = handle;
    words[entry + FRAME.depth] = depth;
    words[LOCATIONS + (depth & SLOT_MASK)] = slotOf(handle);
    words[LIVE_WORDS.depth] = depth;
    return handle;
  };

  const openWithout = (depth: number, location: number): number => {
    last = (last + 1) & HANDLE_BITS;
    words[LOCATIONS + (depth & SLOT_MASK)] = location;
    words[LIVE_WORDS.depth] = depth;
    return -depth;
  };

  const takePlace = (depth: number, handle: number, location: number): number => {
    const entry = frameAt(handle);
    words[entry + FRAME.location] = location;
    words[entry + FRAME.depth] = depth;
    words[LOCATIONS + (depth & SLOT_MASK)] = slotOf(handle);
    words[LIVE_WORDS.depth] = depth;
    return handle;
  };

  /** Of a frame that has no entry, or none any more. */
  const regainWithout = (handle: number, location: number): number => {
    return handle < 0 ? openWithout(-handle, location) : open(location);
  };

  const leaveWithout = (handle: number): number => {
    if (handle < 0) words[LIVE_WORDS.depth] = -handle - 1;
    return 0;
  };

  const calls = {
    [CALLS.open]: open,
    [CALLS.storeOpen]: (handle: number, location: number): void => {
      const entry = frameAt(handle);
      if (words[entry + FRAME.handle] === handle) words[entry + FRAME.location] = location;
      else if (handle < 0) words[LOCATIONS + (-handle & SLOT_MASK)] = location;
    },
    [CALLS.park]: (handle: number, location: number): number => {
      const entry = frameAt(handle);
      const depth = words[entry + FRAME.depth] as number;
      if (words[entry + FRAME.handle] !== handle || depth === 0) return leaveWithout(handle);
      words[entry + FRAME.location] = location;
      if (depth !== SUSPENDED) words[LIVE_WORDS.depth] = depth - 1;
      words[entry + FRAME.depth] = SUSPENDED;
      return handle;
    },
    /** A frame that awaited comes back on an empty stack, whatever an overflow or a failed import has left there. */
    [CALLS.resume]: (handle: number, location: number): number => {
      countResumed(words);
      if (words[frameAt(handle) + FRAME.handle] === handle) return takePlace(1, handle, location);
      words[LIVE_WORDS.depth] = 0;
      return open(location);
    },
    /**
     * In a block that may be reached with or without a suspension before, and in an async generator, which has no
     * entry while it is suspended at a `yield`.
     */
    [CALLS.regain]: (handle: number, location: number): number => {
      const entry = frameAt(handle);
      const depth = words[entry + FRAME.depth] as number;
      if (words[entry + FRAME.handle] !== handle || depth === 0)
        return regainWithout(handle, location);
      if (depth === SUSPENDED) countResumed(words);
      return takePlace(depth === SUSPENDED ? 1 : depth, handle, location);
    },
    [CALLS.close]: (handle: number): number => {
      const entry = frameAt(handle);
      if (words[entry + FRAME.handle] !== handle) return leaveWithout(handle);
      const depth = words[entry + FRAME.depth] as number;
      if (depth > 0) words[LIVE_WORDS.depth] = depth - 1;
      // After its last await it need not come back to the stack, or the await was refused.
      else if (depth === SUSPENDED) countResumed(words);
      words[entry + FRAME.depth] = 0;
      return handle;
    },
  };
  return {
    calls,
    /** The handles go on, so that none of before is taken for one of after. */
    reset(): void {
      words.fill(0, LIVE_WORDS.stop + 1);
      words[LIVE_WORDS.depth] = 0;
      reserveEntry(words);
    },
  };
}

function countResumed(words: Int32Array): void {
  words[LIVE_WORDS.resumed] = (words[LIVE_WORDS.resumed] as number) + 1;
}

/** Finds the next free entry from a handle on, and gives the handle that belongs to it; 0: the table is full. */
function createSearch(words: Int32Array) {
  let patience = 0;
  return (from: number): number => {
    if (patience > 0) {
      patience -= 1;
      return 0;
    }
    for (let step = 0; step < FRAME_COUNT; step++) {
      const handle = (from + step) & HANDLE_BITS;
      if (words[frameAt(handle) + FRAME.depth] === 0) return handle;
    }
    patience = PATIENCE;
    return 0;
  };
}
