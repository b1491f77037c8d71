// Copies the stack out of the live memory until two looks agree.
import { LIVE_WORDS, LOCATIONS, locationOf, SLOT_MASK } from "../job/wire/live-memory.ts";

export const INNERMOST = 250;
export const OUTERMOST = 50;
const LOOKS = 4;

/** The locations of a stack, outermost first; of a deep one the two ends. */
export interface Snapshot {
  readonly depth: number;
  readonly outer: Int32Array;
  readonly inner: Int32Array;
}

export interface Look {
  readonly snapshot: Snapshot;
  /** The one before it; equal unless `moving`. */
  readonly earlier: Snapshot;
  readonly moving: boolean;
}

export function lookTwice(words: Int32Array): Look {
  let earlier = look(words);
  for (let looks = 1; ; looks++) {
    const snapshot = look(words);
    const moving = !isEqual(snapshot, earlier);
    if (!moving || looks === LOOKS) return { snapshot, earlier, moving };
    earlier = snapshot;
  }
}

/** True when no frame is left out. */
export function isWhole({ depth, outer, inner }: Snapshot): boolean {
  return depth === outer.length + inner.length;
}

function look(words: Int32Array): Snapshot {
  const depth = Math.max(0, Atomics.load(words, LIVE_WORDS.depth));
  const outerEnd = Math.min(depth, OUTERMOST);
  const innerStart = Math.max(outerEnd, depth - INNERMOST);
  return {
    depth,
    outer: copy(words, 0, outerEnd),
    inner: copy(words, innerStart, depth),
  };
}

/** The frames from depth `from` (without it) to `to`. */
function copy(words: Int32Array, from: number, to: number): Int32Array {
  const locations = new Int32Array(to - from);
  for (let at = 0; at < locations.length; at++) {
    locations[at] = locationOf(words, words[LOCATIONS + ((from + 1 + at) & SLOT_MASK)] ?? 0);
  }
  return locations;
}

function isEqual(a: Snapshot, b: Snapshot): boolean {
  return a.depth === b.depth && isSame(a.outer, b.outer) && isSame(a.inner, b.inner);
}

function isSame(a: Int32Array, b: Int32Array): boolean {
  return a.every((value, at) => value === b[at]);
}
