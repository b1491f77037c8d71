// Where running attempts were last seen: many are replaced in one statement.
import type { LiveView } from "../core/attempt.ts";
import { batchesOf } from "./batches.ts";
import type { Database } from "./dialect.ts";
import type { AttemptStore, Checkpoint } from "./store.ts";

/** Larger views are kept without their vars, then with few frames: a checkpoint is small, or it is not kept. */
const MOST_BYTES = 16 * 1024;
const MOST_FRAMES = 40;

export function createCheckpoints(
  database: Database,
): Pick<AttemptStore, "checkpoint" | "lastCheckpoint"> {
  return {
    checkpoint: async (checkpoints) => {
      const rows = checkpoints.flatMap(({ attemptId, view }) => {
        const text = viewText(view);
        return text === null ? [] : [{ attempt_id: attemptId, view: text }];
      });
      // In the order of their ids, so that two writers never wait for each other in a circle.
      rows.sort((one, other) => one.attempt_id - other.attempt_id);
      for (const batch of batchesOf(rows, ({ view }) => Buffer.byteLength(view))) {
        await database.write(async ({ connection, dialect: { nowMs } }) => {
          await connection
            .replaceInto("attempt_checkpoints")
            .values(batch.map((row) => ({ ...row, written_at: nowMs })))
            .execute();
        });
      }
    },
    lastCheckpoint: (attemptId) =>
      database.read(async ({ connection }) => {
        const row = await connection
          .selectFrom("attempt_checkpoints")
          .select(["view", "written_at"])
          .where("attempt_id", "=", attemptId)
          .executeTakeFirst();
        if (row === undefined) return null;
        return { view: JSON.parse(row.view) as LiveView, writtenAt: row.written_at };
      }),
  };
}

function viewText(view: Checkpoint["view"]): string | null {
  const { waiting: _, ...withoutVars } = { ...view, vars: null };
  for (const each of [view, { ...view, vars: null }, shortened(withoutVars)]) {
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
