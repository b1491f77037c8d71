// The places a file's instrumented code can name, as small numbers, and the way back from number to place.

/** Lines and columns count from 1. */
export interface Location {
  readonly line: number;
  readonly column: number;
  /** The enclosing function, `(anonymous)` where it has no name, `(module)` at the top level. */
  readonly function: string;
  readonly class?: string;
  /** Present with a class. */
  readonly type?: "->" | "::";
}

/** Text that was inserted into a line of the source: `length` characters before its column, counted from 1. */
export type Shift = readonly [line: number, column: number, length: number];

/** All that is needed to read what one instrumented file notes, and to show its stacks in terms of the source. */
export interface LocationTable {
  readonly path: string;
  /** 1–32,767; of this path alone, in one live memory. */
  readonly fileNumber: number;
  /** By index. */
  readonly entries: readonly Location[];
  readonly shifts: readonly Shift[];
}

const INDEX_BITS = 16;
export const MAX_LOCATIONS = 2 ** INDEX_BITS;
export const MAX_FILES = 2 ** (31 - INDEX_BITS) - 1;

export function locationId(fileNumber: number, index: number): number {
  return (fileNumber << INDEX_BITS) | index;
}

export function fileNumberOf(location: number): number {
  return location >>> INDEX_BITS;
}

export function indexOf(location: number): number {
  return location & (MAX_LOCATIONS - 1);
}
