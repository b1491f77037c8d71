// The guards of every change of a task's state, derived from the one transition table.
import { type RawBuilder, sql } from "kysely";
import { statesBefore, type TaskStatus } from "../core/task.ts";

/**
 * True for rows that may move to `to`. The words are part of the statement's text: SQLite uses a partial index only
 * when it can read its condition in the query. Forced: also by what is done on an explicit wish only.
 */
export function mayMoveTo(
  to: TaskStatus,
  from?: TaskStatus,
  isForced = false,
): RawBuilder<boolean> {
  const states = statesBefore(to, isForced).filter((state) => from === undefined || state === from);
  if (states.length === 0) throw new Error(`no task may move from ${from} to ${to}`);
  return isInState(states);
}

/** True for rows in one of these states. */
export function isInState(states: readonly TaskStatus[]): RawBuilder<boolean> {
  const [only, ...others] = states;
  if (only !== undefined && others.length === 0)
    return sql<boolean>`tasks.status = ${sql.lit(only)}`;
  return sql<boolean>`tasks.status in (${sql.join(states.map((state) => sql.lit(state)))})`;
}
