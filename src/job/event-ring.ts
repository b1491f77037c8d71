// The ring of an attempt's last events in shared memory: a flood overwrites itself and costs nobody else anything.
import type { TraceEvent } from "../core/attempt.ts";
import { RING_BYTES, type SharedMemory, WORDS } from "./shared-memory.ts";

/** With a gap at the front and the owner's own event at the end an attempt keeps 1,000 events, 256 KiB. */
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

/**
 * Starts the events of one attempt. Each is one line of JSON; the oldest make room, and `seq` tells how many did.
 * `ringTail` moves before their bytes are overwritten: a reader that sees it move knows what it must forget.
 */
export function createEventWriter(
  memory: SharedMemory,
  { now, stringify }: Intrinsics,
): EventWriter {
  const { words, ring } = memory;
  const encoder = new TextEncoder();
  const sizes = new Uint32Array(MAX_EVENTS);
  let seq = 0;
  let oldest = 0;
  let head = 0;
  let tail = 0;

  const dropOldest = () => {
    tail += sizes[oldest % MAX_EVENTS] ?? 0;
    oldest += 1;
  };

  return {
    write(type, data) {
      const line = encoder.encode(`${stringify({ seq: seq + 1, at: now(), type, data })}\n`);
      const before = tail;
      if (seq - oldest === MAX_EVENTS) dropOldest();
      while (head + line.length - tail > MAX_BYTES) dropOldest();
      if (tail !== before) Atomics.store(words, WORDS.ringTail, tail | 0);
      copyInto(ring, head % RING_BYTES, line);
      sizes[seq % MAX_EVENTS] = line.length;
      seq += 1;
      head += line.length;
      Atomics.store(words, WORDS.ringHead, head | 0);
    },
  };
}

/** The events that are there now, oldest first; a `gap` at the front says which are gone. */
export function readEvents(memory: SharedMemory): TraceEvent[] {
  const { words, ring } = memory;
  const head = Atomics.load(words, WORDS.ringHead) >>> 0;
  const tail = Atomics.load(words, WORDS.ringTail) >>> 0;
  const copy = copyOut(ring, tail % RING_BYTES, (head - tail) >>> 0);
  const overwritten = ((Atomics.load(words, WORDS.ringTail) >>> 0) - tail) >>> 0;
  const text = new TextDecoder().decode(copy.subarray(Math.min(overwritten, copy.length)));
  return withGap(text.split("\n").flatMap(parseEvent));
}

/** A job can bend how its values become JSON (`toJSON`), so nothing is taken on trust here. */
function parseEvent(line: string): TraceEvent[] {
  try {
    const event = JSON.parse(line) as Partial<TraceEvent> | null;
    return Number.isSafeInteger(event?.seq) ? [event as TraceEvent] : [];
  } catch {
    return [];
  }
}

function withGap(events: TraceEvent[]): TraceEvent[] {
  const [first] = events;
  if (first === undefined || first.seq === 1) return events;
  const missing = { from: 1, to: first.seq - 1 };
  return [{ seq: missing.to, at: first.at, type: "gap", data: missing }, ...events];
}

function copyInto(ring: Uint8Array, place: number, line: Uint8Array): void {
  const room = Math.min(line.length, RING_BYTES - place);
  ring.set(line.subarray(0, room), place);
  ring.set(line.subarray(room), 0);
}

function copyOut(ring: Uint8Array, place: number, length: number): Uint8Array {
  const copy = new Uint8Array(length);
  const room = Math.min(length, RING_BYTES - place);
  copy.set(ring.subarray(place, place + room));
  copy.set(ring.subarray(0, length - room), room);
  return copy;
}
