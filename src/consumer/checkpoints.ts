// Writes where running attempts are, for when their executor cannot be asked or has died.

import type { LiveView } from "../core/attempt.ts";
import type { Checkpoint } from "../core/checkpoint.ts";
import { every } from "../core/every.ts";
import { failpoint } from "../core/failpoints.ts";
import { within } from "../core/within.ts";
import type { Store } from "../store/store.ts";
import type { OwnedAttempt } from "./attempt-table.ts";
import type { LeaseKeeperDeps } from "./leases.ts";

export interface CheckpointDeps extends LeaseKeeperDeps {
  readonly store: Pick<Store, "tasks" | "attempts">;
}

const INSPECT_MS = 500;

/** Every third of a lease, in one statement, only what changed; the returned function stops it. */
export function keepCheckpoints(deps: CheckpointDeps): () => Promise<void> {
  const written = new WeakMap<OwnedAttempt, string>();

  async function write(): Promise<void> {
    const running = deps.owned().filter((owned) => owned.end === undefined);
    const looked = await Promise.all(running.map(look));
    const changed = looked.filter(({ owned, place }) => place !== written.get(owned));
    const fresh = changed.flatMap(withExcerpts);
    if (fresh.length === 0) return;
    await deps.store.attempts.checkpoint(fresh);
    failpoint("checkpoint-written");
    for (const { owned, place, checkpoint } of changed) {
      written.set(owned, place);
      if (checkpoint !== null) owned.running.noteCheckpoint?.(checkpoint.view);
    }
  }

  return every(deps.leaseMs / 3, write, deps.logger);
}

interface Look {
  readonly owned: OwnedAttempt;
  /** What counts as a change: time and memory alone do not. */
  readonly place: string;
  readonly checkpoint: Checkpoint | null;
}

async function look(owned: OwnedAttempt): Promise<Look> {
  const view = await within(owned.running.inspect(), INSPECT_MS);
  if (view === undefined || isNowhere(view)) return { owned, place: "", checkpoint: null };
  const { elapsedMs: _, vitals: __, ...place } = view;
  const checkpoint = { attemptId: owned.lease.attemptId, view };
  return { owned, place: JSON.stringify(place), checkpoint };
}

/** What is not written anyway costs no reading of sources. */
function withExcerpts({ owned, checkpoint }: Look): Checkpoint[] {
  if (checkpoint === null) return [];
  const excerpts = owned.running.excerpts?.(checkpoint.view);
  return [{ ...checkpoint, ...(excerpts && { excerpts }) }];
}

/** A delivery has no place to show. */
function isNowhere({ frames, vars, progress }: LiveView): boolean {
  return frames.length === 0 && vars === null && progress === null;
}
