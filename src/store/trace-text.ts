// Packs what is kept of an attempt into few bytes, and unpacks it.
import { gunzipSync, gzipSync } from "node:zlib";
import type { AttemptTrace } from "../core/attempt.ts";

const MOST_BYTES = 256 * 1024;

/** The trace as gzipped JSON; its events, then the whole trace are left out when they do not fit. */
export function packTrace(trace: AttemptTrace | undefined): Uint8Array | null {
  if (trace === undefined) return null;
  const shorter: AttemptTrace[] = [trace, { ...trace, events: [] }];
  for (const each of shorter) {
    // The fastest level: traces are repetitive, and this runs in the thread that owns the attempts.
    const packed = gzipSync(JSON.stringify(each), { level: 1 });
    if (packed.byteLength <= MOST_BYTES) return packed;
  }
  return null;
}

export function unpackTrace(packed: Uint8Array): AttemptTrace {
  return JSON.parse(gunzipSync(packed).toString("utf8")) as AttemptTrace;
}
