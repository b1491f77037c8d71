// Reads the raw bytes of requests: of one never more than its limit, of all together never more than there is room for.
import { AppError } from "../core/errors.ts";
import { type BeginWait, createSameDeadline } from "../core/same-deadline.ts";
import { createRoom, type Room } from "./room.ts";

export interface BodiesOptions {
  /** The largest body. */
  readonly maxBodyBytes: number;
  /** Room for all bodies under way. */
  readonly maxBodiesMb: number;
  /** How long a body may take, besides a second per 64 KiB; default 10 s. */
  readonly patienceMs?: number;
}

/** A body that was announced. */
export interface IncomingBody {
  /**
   * All of it. Throws AppError `too_large` as soon as the limit is passed, also while it is still being sent, `unavailable`
   * when there is no room for more, `too_slow` when it does not come, and `invalid` when its sender leaves before the end.
   */
  read(): Promise<Uint8Array>;
  /** Gives its room back; its bytes are not needed any more. */
  release(): void;
}

export interface Bodies {
  /**
   * Takes room for the announced length before anything is read: Bun keeps what arrives from the moment a route is asked,
   * whether or not it is read. Throws AppError `too_large` or `unavailable`, at once.
   * @param owner its sender, as far as is known
   */
  open(request: Request, owner: string, maxBytes?: number): IncomingBody;
}

const MIB = 1_048_576;
const PATIENCE_MS = 10_000;
/** Slower than this over the whole of it is torn. */
const BYTES_PER_MS = 65.536;
/** Bodies up to this many bytes, and twice as many, … share a timer. */
const STEP_BYTES = 65_536;
/** Deno's own reading of a whole body holds it four times. */
const READS_WHOLE = !("Deno" in globalThis);

export function createBodies(options: BodiesOptions): Bodies {
  const { maxBodyBytes, maxBodiesMb, patienceMs = PATIENCE_MS } = options;
  const room = createRoom(maxBodiesMb * MIB, maxBodyBytes);
  const deadlines = createDeadlines(patienceMs);
  return {
    open(request, owner, maxBytes = maxBodyBytes) {
      const declared = declaredLength(request) ?? 0;
      if (declared > maxBytes) throw tooLarge(maxBytes);
      const place = takePlace(room, owner, declared);
      return {
        read: () => readBody(request, { maxBytes, place, patienceMs, deadlines }),
        release: place.release,
      };
    },
  };
}

/** What one body holds of the room. */
interface Place {
  /** Makes it hold at least so many bytes. Throws AppError `unavailable`. */
  growTo(bytes: number): void;
  release(): void;
}

function takePlace(room: Room, owner: string, declared: number): Place {
  let held = 0;
  const growTo = (bytes: number) => {
    if (bytes <= held) return;
    room.take(owner, bytes - held);
    held = bytes;
  };
  growTo(declared);
  return {
    growTo,
    release: () => {
      room.giveBack(owner, held);
      held = 0;
    },
  };
}

interface Reading {
  readonly maxBytes: number;
  readonly place: Place;
  readonly patienceMs: number;
  readonly deadlines: Deadlines;
}

/** Begins the wait for a body of so many bytes. */
type Deadlines = (bytes: number) => BeginWait;

function createDeadlines(patienceMs: number): Deadlines {
  const known = new Map<number, BeginWait>();
  return (bytes) => {
    const steps = Math.ceil(bytes / STEP_BYTES);
    const begin =
      known.get(steps) ?? createSameDeadline(patienceMs + (steps * STEP_BYTES) / BYTES_PER_MS);
    known.set(steps, begin);
    return begin;
  };
}

/** Null when it is not said, or not as one number: servers pass on what came twice. */
function declaredLength({ headers }: Request): number | null {
  const declared = headers.get("content-length") ?? "";
  return /^\d{1,15}$/.test(declared) ? Number(declared) : null;
}

async function readBody(request: Request, reading: Reading): Promise<Uint8Array> {
  const declared = declaredLength(request);
  // With a length the server has bounded the body already, and reading it at once is the fast way.
  const isWhole = declared !== null && READS_WHOLE;
  const bytes = await (isWhole
    ? inTime(reading.deadlines(declared), request.bytes())
    : readChunks(request.body, reading));
  if (bytes.byteLength > reading.maxBytes) throw tooLarge(reading.maxBytes);
  return bytes;
}

async function readChunks(
  body: ReadableStream<Uint8Array> | null,
  { maxBytes, place, patienceMs }: Reading,
): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  if (body === null) return new Uint8Array();
  const reader = body.getReader();
  const startedAt = performance.now();
  let length = 0;
  try {
    for (;;) {
      const leftMs = startedAt + patienceMs + length / BYTES_PER_MS - performance.now();
      const { done, value } = await inTime(createSameDeadline(leftMs), reader.read());
      if (done) return Buffer.concat(chunks, length);
      chunks.push(value);
      length += value.byteLength;
      if (length > maxBytes) throw tooLarge(maxBytes);
      place.growTo(length);
    }
  } catch (error) {
    // Nobody waits for the rest; a sender that is gone already makes cancelling fail, and that is fine.
    reader.cancel().catch(() => undefined);
    throw error;
  }
}

/** Throws AppError `too_slow` when what is read does not come in time, and `invalid` when it cannot come any more. */
function inTime<T>(begin: BeginWait, read: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const end = begin(() => reject(tooSlow()));
    read.then(
      (part) => {
        end();
        resolve(part);
      },
      (cause: unknown) => {
        end();
        reject(new AppError("invalid", "the body ended before it was complete", { cause }));
      },
    );
  });
}

function tooLarge(maxBytes: number): AppError {
  return new AppError("too_large", `the body must be at most ${maxBytes} bytes`);
}

function tooSlow(): AppError {
  return new AppError(
    "too_slow",
    "the body did not arrive in time: it must come within 10 s, and a second more for each 64 KiB",
  );
}
