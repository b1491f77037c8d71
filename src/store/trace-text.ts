// Packs what is kept of an attempt into few bytes, and unpacks it.
import { gunzipSync, gzipSync } from "node:zlib";
import type { AttemptTrace } from "../core/attempt.ts";
import { newestEvents } from "../core/trace-events.ts";

const MOST_BYTES = 256 * 1024;

/** The trace as gzipped JSON. Where it does not fit, the older half of its events goes, and again, and then all of it. */
export function packTrace(trace: AttemptTrace | undefined): Uint8Array | null {
  if (trace === undefined) return null;
  for (let each = trace; ; each = withNewerHalf(each)) {
    // The fastest level: traces are repetitive, and this runs in the thread that owns the attempts.
    const packed = gzipSync(JSON.stringify(each), { level: 1 });
    if (packed.byteLength <= MOST_BYTES) return packed;
    if (each.events.length === 0) return null;
  }
}

function withNewerHalf(trace: AttemptTrace): AttemptTrace {
  return { ...trace, events: newestEvents(trace.events, trace.events.length >> 1) };
}

export function unpackTrace(packed: Uint8Array): AttemptTrace {
  return JSON.parse(gunzipSync(packed).toString("utf8")) as AttemptTrace;
}
