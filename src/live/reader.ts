// Reads the live memory from outside: where the code of a job worker is at this moment, or what it waits for.
import type { Frame } from "../core/views/stack.ts";
import { HANDLE_BITS, LIVE_WORDS, LOCATIONS, locationOf } from "../job/wire/live-memory.ts";
import type { LiveStack } from "../job/wire/live-stack.ts";
import { fileNumberOf, indexOf, type LocationTable } from "./locations.ts";
import { callersOf, copyTable, waitingPlaces } from "./read-table.ts";
import { INNERMOST, isWhole, lookTwice, OUTERMOST, type Snapshot } from "./snapshot.ts";

const MOST_WAITING = 100;

/** Finds the table of a file by its number. */
export type FindTable = (fileNumber: number) => LocationTable | undefined;

/** Takes microseconds. Any time is fine: the code neither knows nor waits. */
export function readLive(words: Int32Array, findTable: FindTable): LiveStack {
  const resumed = (words[LIVE_WORDS.resumed] ?? 0) >>> 0;
  const { snapshot, earlier, moving } = lookTwice(words);
  const table = copyTable(words);
  const outermost = words[LOCATIONS + 1] ?? 0;
  const frameOf = (location: number) => frameAt(location, findTable);
  const framesOf = (locations: readonly number[]) => locations.flatMap(frameOf);

  const places = waitingPlaces(table).slice(0, MOST_WAITING);
  const waiting = places.map(({ count, locations }) => ({
    count,
    frames: cut(framesOf(locations), 0).frames,
  }));
  if (snapshot.depth === 0) {
    const frames = waiting[0]?.frames ?? frameOf(locationOf(words, outermost));
    return { state: "waiting", frames, omitted: 0, waiting, moving, resumed };
  }
  const seen = moving ? agreed(snapshot, earlier, frameOf) : innermostFirst(snapshot);
  const callers = outermost < 0 ? callersOf(table, outermost & HANDLE_BITS) : [];
  const hidden = isWhole(snapshot)
    ? 0
    : snapshot.depth - snapshot.outer.length - snapshot.inner.length;
  return {
    state: "running",
    ...cut(framesOf([...seen, ...callers]), hidden),
    waiting,
    moving,
    resumed,
  };
}

function innermostFirst({ outer, inner }: Snapshot): number[] {
  return [...outer, ...inner].reverse();
}

/**
 * What two looks have in common, from the outermost on. Where they part inside one function, it is that function on
 * its newer line. Looks with nothing in common show different calls: the newer one is as good as any.
 */
function agreed(
  newer: Snapshot,
  older: Snapshot,
  frameOf: (location: number) => Frame[],
): number[] {
  if (!isWhole(newer) || !isWhole(older)) return innermostFirst(newer);
  const now = [...newer.outer, ...newer.inner];
  const before = [...older.outer, ...older.inner];
  const differs = now.findIndex((location, at) => location !== before[at]);
  const common = differs < 0 ? now.length : differs;
  const [frame] = frameOf(now[common] ?? 0);
  const [other] = frameOf(before[common] ?? 0);
  const isSame =
    frame !== undefined && frame.function === other?.function && frame.file === other.file;
  const kept = now.slice(0, isSame ? common + 1 : common);
  return (kept.length > 0 ? kept : now).reverse();
}

function frameAt(location: number, findTable: FindTable): Frame[] {
  const table = location === 0 ? undefined : findTable(fileNumberOf(location));
  const place = table?.entries[indexOf(location)];
  if (table === undefined || place === undefined) return [];
  const { column: _, ...shown } = place;
  return [{ file: table.path, ...shown }];
}

/** `hidden` frames were not even read. */
function cut(frames: readonly Frame[], hidden: number) {
  if (frames.length <= INNERMOST + OUTERMOST) return { frames, omitted: hidden };
  const kept = [...frames.slice(0, INNERMOST), ...frames.slice(-OUTERMOST)];
  return { frames: kept, omitted: hidden + frames.length - kept.length };
}
