// Holds the rows of the store against the model, field by field, and against what must be true of any rows.
import { deepEqual } from "node:assert/strict";
import type { Model, ModelTask } from "./model.ts";
import type { World } from "./world.ts";

export async function compare(model: Model, world: World): Promise<void> {
  const rows = await world.query(
    "select task_no, status, life, attempt, charged, deaths, fence, held_by, cancel_requested_at from tasks order by task_no",
  );
  deepEqual(rows.map(shown), [...model.tasks.values()].toSorted(byNumber).map(expected));
  await compareAttempts(model, world);
}

const byNumber = (a: ModelTask, b: ModelTask) => (a.no < b.no ? -1 : 1);

function shown(row: Readonly<Record<string, unknown>>): unknown[] {
  const { task_no, status, life, attempt, charged, deaths, fence, held_by } = row;
  const isAsked = status === "running" && row["cancel_requested_at"] !== null;
  return [task_no, status, life, attempt, charged, deaths, fence, held_by, isAsked];
}

function expected(task: ModelTask): unknown[] {
  const { no, status, life, attempt, charged, deaths, fence, heldBy } = task;
  const isAsked = status === "running" && task.isCancelAsked;
  return [no, status, life, attempt, charged, deaths, fence, heldBy, isAsked];
}

/** One attempt for each fence, an open one for each running task, one success at most in a life. */
async function compareAttempts(model: Model, world: World): Promise<void> {
  const tasks = [...model.tasks.values()];
  const [counts] = await world.query(
    `select count(*) as made, coalesce(sum(case when e.attempt_id is null then 1 else 0 end), 0) as open
     from attempts a left join attempt_ends e on e.attempt_id = a.id`,
  );
  const made = tasks.reduce((sum, { fence }) => sum + fence, 0);
  const open = tasks.filter(({ status }) => status === "running").length;
  deepEqual([Number(counts?.["made"]), Number(counts?.["open"])], [made, open]);
  const twice = await world.query(
    `select a.task_id, a.life from attempts a join attempt_ends e on e.attempt_id = a.id
     where e.outcome = 'succeeded' group by a.task_id, a.life having count(*) > 1`,
  );
  deepEqual(twice, []);
}
