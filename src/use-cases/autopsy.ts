// Makes an autopsy: what is known of an attempt that did not end by itself, out of what was kept of it.

import type { AttemptTrace, Excerpt, LiveView, Outcome } from "../core/attempt.ts";
import type { Autopsy, FrameWithSource } from "../core/views/autopsy.ts";
import type { TraceEvent } from "../core/views/trace-event.ts";
import type { Attempt } from "../store/attempt-store.ts";

const MOST_EVENTS = 200;
const MOST_OUTPUT_BYTES = 8 * 1024;
const UNNATURAL: readonly Outcome[] = ["timed_out", "cancelled", "crashed", "lost", "interrupted"];

/** True for outcomes that are examined. */
export function hasAutopsy({ outcome }: Pick<Attempt, "outcome">): boolean {
  return outcome !== null && UNNATURAL.includes(outcome);
}

/** `trace` null: nothing was kept of it, or it is left out. */
export function autopsyOf(attempt: Attempt, trace: AttemptTrace | null): Autopsy {
  const { view = null, events = [], autopsy } = trace ?? {};
  return {
    why: whyOf(attempt),
    source: autopsy?.source ?? "none",
    age_ms: autopsy?.ageMs ?? null,
    checkpoint_age_ms: autopsy?.checkpointAgeMs ?? null,
    ...placeOf(view, autopsy?.excerpts ?? []),
    events: events.slice(-MOST_EVENTS),
    output: outputOf(events),
    ...vitalsOf(view),
    executor: attempt.serviceId,
    runtime: view?.ran?.runtime ?? null,
    runtime_version: view?.ran?.version ?? null,
    source_hash: view?.ran?.sourceHash ?? null,
  };
}

function whyOf({ outcome, error, receipt }: Attempt): Autopsy["why"] {
  return {
    reason: error?.reason ?? receipt?.reason ?? outcome ?? "unknown",
    message: error?.message ?? null,
    by: receipt?.by ?? null,
  };
}

function placeOf(
  view: LiveView | null,
  excerpts: readonly Excerpt[],
): Pick<Autopsy, "state" | "frames" | "waiting_points" | "vars" | "progress"> {
  const frames = (view?.frames ?? []).map((frame): FrameWithSource => {
    const found = excerpts.find(({ file, line }) => file === frame.file && line === frame.line);
    return { ...frame, source: found === undefined ? null : sourceOf(found) };
  });
  return {
    state: view?.state ?? null,
    frames,
    waiting_points: view?.waiting ?? [],
    vars: view?.vars ?? null,
    progress: view?.progress ?? null,
  };
}

function sourceOf({ first, lines }: Excerpt): Pick<Excerpt, "first" | "lines"> {
  return { first, lines };
}

function vitalsOf(
  view: LiveView | null,
): Pick<Autopsy, "cpu_ms" | "heap_bytes" | "rss_bytes" | "memory_age_ms"> {
  const { cpuMs, heapBytes, rssBytes, memoryAgeMs } = view?.vitals ?? {};
  return {
    cpu_ms: cpuMs ?? null,
    heap_bytes: heapBytes ?? null,
    rss_bytes: rssBytes ?? null,
    memory_age_ms: memoryAgeMs ?? null,
  };
}

/** What does not fit any more is cut at its beginning. */
function outputOf(events: readonly TraceEvent[]): string {
  const lines: string[] = [];
  let left = MOST_OUTPUT_BYTES;
  for (const event of events.toReversed()) {
    const line = messageOf(event);
    if (line === undefined) continue;
    const text = endOf(`${line}\n`, left);
    lines.push(text);
    left -= Buffer.byteLength(text);
    if (left <= 0) break;
  }
  return lines.reverse().join("");
}

function messageOf({ type, data }: TraceEvent): string | undefined {
  if (type !== "log") return;
  const { message } = (data ?? {}) as { readonly message?: unknown };
  return typeof message === "string" ? message : undefined;
}

/** The last characters that fit into so many bytes. */
function endOf(text: string, bytes: number): string {
  const encoded = Buffer.from(text);
  if (encoded.byteLength <= bytes) return text;
  let from = encoded.byteLength - bytes;
  // Not in the middle of a character.
  while (((encoded[from] ?? 0) & 0xc0) === 0x80) from += 1;
  return encoded.subarray(from).toString();
}
