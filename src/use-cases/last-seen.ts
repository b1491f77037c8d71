// Finds out where attempts were whose executor cannot tell any more: what its death left, or their last checkpoints.

import type { AttemptTrace, Excerpt, LiveView } from "../core/attempt.ts";
import type { WrittenCheckpoint } from "../core/checkpoint.ts";
import type { FindPlace, LastPlace } from "../core/last-place.ts";
import type { LeaseReference, Store } from "../store/store.ts";

export interface Circumstances {
  /** Ms since the executor died; 0 when nobody knows: then ages count until now. */
  readonly diedAgoMs?: number;
  readonly findPlace?: FindPlace | undefined;
}

const NOTHING: LiveView = {
  state: "running",
  frames: [],
  vars: null,
  round: 0,
  elapsedMs: 0,
  progress: null,
};

/** What can be kept of each, by attempt; missing: nothing is known. It is all an attempt has for a trace. */
export async function lastSeenOf(
  store: Pick<Store, "attempts">,
  orphans: readonly LeaseReference[],
  { diedAgoMs = 0, findPlace = () => undefined }: Circumstances,
): Promise<ReadonlyMap<number, AttemptTrace>> {
  const ids = orphans.map(({ attemptId }) => attemptId);
  const checkpoints = await store.attempts.lastCheckpoints(ids);
  return new Map(
    ids.flatMap((id) => {
      const trace = traceOf(seenBefore(checkpoints.get(id), diedAgoMs), findPlace(id));
      return trace === undefined ? [] : [[id, trace] as const];
    }),
  );
}

interface Seen {
  readonly view: LiveView;
  readonly excerpts: readonly Excerpt[];
  readonly ageMs: number;
}

/** The view as of the death: its figures of memory have aged. */
function seenBefore(written: WrittenCheckpoint | undefined, diedAgoMs: number): Seen | undefined {
  if (written === undefined) return;
  const ageMs = Math.max(0, written.ageMs - diedAgoMs);
  const { view, excerpts } = written;
  const { vitals } = view;
  const memoryAgeMs = vitals?.memoryAgeMs ?? null;
  if (vitals === undefined || memoryAgeMs === null) return { view, excerpts, ageMs };
  return {
    view: { ...view, vitals: { ...vitals, memoryAgeMs: memoryAgeMs + ageMs } },
    excerpts,
    ageMs,
  };
}

function traceOf(seen: Seen | undefined, last: LastPlace | undefined): AttemptTrace | undefined {
  const aged = seen === undefined ? {} : { checkpointAgeMs: seen.ageMs };
  if (last !== undefined) {
    const { waiting: _, ...view } = seen?.view ?? NOTHING;
    const autopsy = { source: "memory", ageMs: 0, ...aged, excerpts: last.excerpts } as const;
    return { view: { ...view, ...last.place }, events: [], autopsy };
  }
  if (seen === undefined) return;
  const { view, excerpts, ageMs } = seen;
  return { view, events: [], autopsy: { source: "checkpoint", ageMs, ...aged, excerpts } };
}
