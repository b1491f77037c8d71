// Reads the table of async frames: which frame waits for which.
import { FRAME, FRAME_COUNT, FRAME_MASK, FRAMES, SUSPENDED } from "../job/wire/live-memory.ts";

/** A copy of the table's words. */
export type AsyncTable = Int32Array;

export interface WaitingPlace {
  readonly count: number;
  /** Innermost first. */
  readonly locations: readonly number[];
}

/** More than any reader shows. */
const MAX_CALLERS = 400;

export function copyTable(words: Int32Array): AsyncTable {
  return words.slice(FRAMES, FRAMES + FRAME_COUNT * FRAME.size);
}

/** Where frames are suspended whose own callees are not, equal ones counted together: most first, then the newest. */
export function waitingPlaces(table: AsyncTable): WaitingPlace[] {
  const hasCallee = new Set<number>();
  const suspended: number[] = [];
  for (let index = 1; index < FRAME_COUNT; index++) {
    const depth = depthAt(table, index);
    if (depth === 0) continue;
    if (depth === SUSPENDED) suspended.push(index);
    const caller = callerAt(table, index);
    if (caller !== 0) hasCallee.add(caller);
  }
  const groups = new Map<string, WaitingPlace & { count: number; newest: number }>();
  for (const index of suspended.filter((it) => !hasCallee.has(it))) {
    const locations = [locationAt(table, index), ...callersFrom(table, index)];
    const key = locations.join();
    const group = groups.get(key) ?? { count: 0, newest: 0, locations };
    group.count += 1;
    group.newest = Math.max(group.newest, table[index * FRAME.size + FRAME.handle] ?? 0);
    groups.set(key, group);
  }
  return [...groups.values()].sort((a, b) => b.count - a.count || b.newest - a.newest);
}

/** Where the callers of a frame are, innermost first. */
export function callersOf(table: AsyncTable, handle: number): number[] {
  const index = handle & FRAME_MASK;
  return isOwn(table, handle) ? callersFrom(table, index) : [];
}

function callersFrom(table: AsyncTable, index: number): number[] {
  const locations: number[] = [];
  let at = callerAt(table, index);
  while (at !== 0 && locations.length < MAX_CALLERS) {
    locations.push(locationAt(table, at));
    at = callerAt(table, at);
  }
  return locations;
}

/** The next caller that has not ended: one that ended has handed its callee's result on to its own. */
function callerAt(table: AsyncTable, index: number): number {
  let at = index;
  for (let step = 0; step < FRAME_COUNT; step++) {
    const parent = table[at * FRAME.size + FRAME.parent] ?? 0;
    at = parent & FRAME_MASK;
    if (!isOwn(table, parent)) return 0;
    if (depthAt(table, at) !== 0) return at;
  }
  return 0;
}

function isOwn(table: AsyncTable, handle: number): boolean {
  return handle !== 0 && table[(handle & FRAME_MASK) * FRAME.size + FRAME.handle] === handle;
}

function depthAt(table: AsyncTable, index: number): number {
  return table[index * FRAME.size + FRAME.depth] ?? 0;
}

function locationAt(table: AsyncTable, index: number): number {
  return table[index * FRAME.size + FRAME.location] ?? 0;
}
