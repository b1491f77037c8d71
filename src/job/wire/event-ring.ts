// The rings of an attempt's last events in shared memory: a flood overwrites itself and costs nobody else anything.
import { newestEvents, withGaps } from "../../core/trace-events.ts";
import type { TraceEvent } from "../../core/views/trace-event.ts";
import { RING_BYTES, SHARED_WORDS, type SharedMemory } from "./shared-memory.ts";

/** With the owner's own event at the end an attempt keeps 1,000 events, 256 KiB. */
const MAX_EVENTS = 998;
const MAX_BYTES = RING_BYTES - 512;

/** Where one attempt's events go, in the job worker. */
export interface EventWriter {
  write(type: TraceEvent["type"], data: unknown): void;
}

interface Intrinsics {
  now(): number;
  stringify(value: unknown): string;
}

/** One ring of lines; `head` and `tail` are the places of its counters. */
interface Ring {
  readonly words: Int32Array;
  readonly bytes: Uint8Array;
  readonly head: number;
  readonly tail: number;
}

function mainRing({ words, ring }: SharedMemory): Ring {
  return { words, bytes: ring, head: SHARED_WORDS.ringHead, tail: SHARED_WORDS.ringTail };
}

function debugRing({ words, debugRing: bytes }: SharedMemory): Ring {
  return { words, bytes, head: SHARED_WORDS.debugHead, tail: SHARED_WORDS.debugTail };
}

/** Starts the events of one attempt. Each is one line of JSON, and `seq` tells how many were dropped. */
export function createEventWriter(
  memory: SharedMemory,
  { now, stringify }: Intrinsics,
): EventWriter {
  const { words } = memory;
  const encoder = new TextEncoder();
  const appendMain = createAppend(mainRing(memory));
  const appendDebug = createAppend(debugRing(memory));
  let seq = 0;

  return {
    write(type, data) {
      const line = encoder.encode(`${stringify({ seq: seq + 1, at: now(), type, data })}\n`);
      if (isDebug(type, data)) appendDebug(line);
      else appendMain(line);
      seq += 1;
      Atomics.store(words, SHARED_WORDS.lastSeq, seq | 0);
    },
  };
}

/** What a flood drops first. */
function isDebug(type: TraceEvent["type"], data: unknown): boolean {
  return type === "log" && (data as { readonly level?: unknown } | null)?.level === "debug";
}

/**
 * Appends lines; the oldest make room. The tail moves before their bytes are overwritten: a reader that sees it move
 * knows what it must forget.
 */
function createAppend({ words, bytes, head: headWord, tail: tailWord }: Ring) {
  const room = bytes.length - 512;
  const sizes = new Uint32Array(MAX_EVENTS);
  let count = 0;
  let oldest = 0;
  let head = 0;
  let tail = 0;

  const dropOldest = () => {
    tail += sizes[oldest % MAX_EVENTS] ?? 0;
    oldest += 1;
  };

  return (line: Uint8Array) => {
    const before = tail;
    if (count - oldest === MAX_EVENTS) dropOldest();
    while (head + line.length - tail > room) dropOldest();
    if (tail !== before) Atomics.store(words, tailWord, tail | 0);
    copyInto(bytes, head % bytes.length, line);
    sizes[count % MAX_EVENTS] = line.length;
    count += 1;
    head += line.length;
    Atomics.store(words, headWord, head | 0);
  };
}

/** The events that are there now, oldest first; `gap` events say which are gone, and debug lines go first. */
export function readEvents(memory: SharedMemory): readonly TraceEvent[] {
  // Read first: whatever was written up to here is in one of the rings, or was dropped from it.
  const lastSeq = lastSeqOf(memory);
  const isSettled = ({ seq }: Line) => ((seq - lastSeq) | 0) <= 0;
  const main = readLines(mainRing(memory)).filter(isSettled);
  const debug = readLines(debugRing(memory)).filter(isSettled);
  const merged = [...main, ...fitting(debug, main)].sort((one, other) => one.seq - other.seq);
  const told = withGaps(merged.map(({ event }) => event));
  return newestEvents(told, MAX_EVENTS + 1);
}

/** Changes with every event. */
export function lastSeqOf({ words }: SharedMemory): number {
  return Atomics.load(words, SHARED_WORDS.lastSeq);
}

interface Line {
  readonly seq: number;
  readonly bytes: number;
  readonly event: TraceEvent;
}

/** The newest debug lines that fit beside the others. */
function fitting(debug: readonly Line[], others: readonly Line[]): Line[] {
  let left = MAX_BYTES - others.reduce((sum, { bytes }) => sum + bytes, 0);
  const newest = debug.slice(-Math.max(1, MAX_EVENTS - others.length)).reverse();
  const fit = newest.findIndex(({ bytes }) => {
    left -= bytes;
    return left < 0;
  });
  return (fit === -1 ? newest : newest.slice(0, fit)).reverse();
}

function readLines({ words, bytes, head: headWord, tail: tailWord }: Ring): Line[] {
  const head = Atomics.load(words, headWord) >>> 0;
  const tail = Atomics.load(words, tailWord) >>> 0;
  // A flood may have moved the tail beyond a head that was read before.
  const copy = copyOut(bytes, tail % bytes.length, Math.max(0, (head - tail) | 0));
  const overwritten = ((Atomics.load(words, tailWord) >>> 0) - tail) >>> 0;
  const text = new TextDecoder().decode(copy.subarray(Math.min(overwritten, copy.length)));
  return text.split("\n").flatMap(parseLine);
}

/** A job can bend how its values become JSON (`toJSON`), so nothing is taken on trust here. */
function parseLine(line: string): Line[] {
  try {
    const event = JSON.parse(line) as TraceEvent | null;
    const seq = event?.seq ?? 0;
    if (event === null || !Number.isSafeInteger(seq) || seq < 1) return [];
    return [{ seq, bytes: line.length, event }];
  } catch {
    return [];
  }
}

function copyInto(ring: Uint8Array, place: number, line: Uint8Array): void {
  const room = Math.min(line.length, ring.length - place);
  ring.set(line.subarray(0, room), place);
  ring.set(line.subarray(room), 0);
}

function copyOut(ring: Uint8Array, place: number, length: number): Uint8Array {
  const copy = new Uint8Array(length);
  const room = Math.min(length, ring.length - place);
  copy.set(ring.subarray(place, place + room));
  copy.set(ring.subarray(0, length - room), room);
  return copy;
}
