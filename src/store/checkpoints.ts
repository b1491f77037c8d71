// Where running attempts were last seen: many are replaced in one statement.
import type { Excerpt, LiveView } from "../core/attempt.ts";
import type { Checkpoint, WrittenCheckpoint } from "../core/checkpoint.ts";
import type { AttemptStore } from "./attempt-store.ts";
import { batchesOf } from "./batches.ts";
import type { Database } from "./dialect.ts";

/** Larger ones are kept without source lines, then without vars, then with few frames: it is small, or it is not kept. */
const MOST_BYTES = 16 * 1024;
const MOST_FRAMES = 40;

export function createCheckpoints(
  database: Database,
): Pick<AttemptStore, "checkpoint" | "lastCheckpoint" | "lastCheckpoints"> {
  return {
    checkpoint: async (checkpoints) => {
      const rows = checkpoints.flatMap((checkpoint) => {
        const text = viewText(checkpoint);
        return text === null ? [] : [{ attempt_id: checkpoint.attemptId, view: text }];
      });
      // In the order of their ids, so that two writers never wait for each other in a circle.
      rows.sort((one, other) => one.attempt_id - other.attempt_id);
      for (const batch of batchesOf(rows, ({ view }) => Buffer.byteLength(view))) {
        await database.write(({ connection, dialect }) => {
          const now = batch.map((row) => ({ ...row, written_at: dialect.nowMs }));
          return dialect.replaceRows(connection, "attempt_checkpoints", now);
        });
      }
    },
    lastCheckpoint: async (attemptId) =>
      (await readCheckpoints(database, [attemptId])).get(attemptId) ?? null,
    lastCheckpoints: (attemptIds) => readCheckpoints(database, attemptIds),
  };
}

async function readCheckpoints(
  database: Database,
  attemptIds: readonly number[],
): Promise<Map<number, WrittenCheckpoint>> {
  const found = new Map<number, WrittenCheckpoint>();
  for (const batch of batchesOf(attemptIds)) {
    const rows = await database.read(({ connection, dialect: { nowMs } }) =>
      connection
        .selectFrom("attempt_checkpoints")
        .select(["attempt_id", "view", "written_at", nowMs.as("now_ms")])
        .where("attempt_id", "in", batch)
        .execute(),
    );
    for (const { attempt_id, view, written_at, now_ms } of rows) {
      const ageMs = Math.max(0, now_ms - written_at);
      const { excerpts = [], ...seen } = JSON.parse(view) as WrittenView;
      found.set(attempt_id, { view: seen, excerpts, writtenAt: written_at, ageMs });
    }
  }
  return found;
}

/** What the column holds. */
type WrittenView = LiveView & { readonly excerpts?: readonly Excerpt[] };

function viewText({ view, excerpts = [] }: Checkpoint): string | null {
  const { waiting: _, ...withoutVars } = { ...view, vars: null };
  const whole: WrittenView = excerpts.length === 0 ? view : { ...view, excerpts };
  for (const each of [whole, view, { ...view, vars: null }, shortened(withoutVars)]) {
    const text = JSON.stringify(each);
    if (Buffer.byteLength(text) <= MOST_BYTES) return text;
  }
  return null;
}

function shortened(view: LiveView): LiveView {
  const { frames, omitted = 0 } = view;
  const kept = frames.slice(0, MOST_FRAMES);
  return { ...view, frames: kept, omitted: omitted + frames.length - kept.length };
}
