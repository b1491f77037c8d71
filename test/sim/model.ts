// What a task must be after each step, told a second time and without a database: the store is compared with it.
import type { Outcome } from "../../src/core/attempt.ts";
import type { TaskStatus } from "../../src/core/task.ts";

/** All waits are whole units, so that the time the steps themselves take decides nothing. */
export const UNIT_MS = 1_000_000;
export const RETRY_TOTAL = 2;
const DEATHS_UNTIL_POISON = 3;

export interface ModelTask {
  readonly no: string;
  status: TaskStatus;
  life: number;
  attempt: number;
  charged: number;
  deaths: number;
  fence: number;
  isCancelAsked: boolean;
  /** In units; of a pending task. */
  dueAt: number;
  /** In units; of a running task. */
  leaseUntil: number;
  /** The executor that has claimed it; of a running task. */
  owner: string | null;
  /** The executor in which its last attempt may still run. */
  heldBy: string | null;
}

/** An executor as the model knows it. */
export interface ModelExecutor {
  /** What it believes to run; a fence may have passed it by. */
  readonly believes: { readonly no: string; readonly fence: number }[];
  /** Claims whose answer it never got. */
  readonly lost: { readonly no: string; readonly fence: number }[];
  serviceId: string;
}

export interface Model {
  now: number;
  readonly tasks: Map<string, ModelTask>;
  readonly executors: readonly ModelExecutor[];
}

export function newTask(no: string, dueAt: number): ModelTask {
  return {
    no,
    status: "pending",
    life: 1,
    attempt: 0,
    charged: 0,
    deaths: 0,
    fence: 0,
    isCancelAsked: false,
    dueAt,
    leaseUntil: 0,
    owner: null,
    heldBy: null,
  };
}

export function isDue(task: ModelTask, now: number): boolean {
  return task.status === "pending" && task.heldBy === null && task.dueAt <= now;
}

export function isTerminal({ status }: ModelTask): boolean {
  return status === "succeeded" || status === "failed" || status === "cancelled";
}

export function claim(task: ModelTask, owner: string, now: number): void {
  task.status = "running";
  task.owner = owner;
  task.attempt += 1;
  task.fence += 1;
  task.leaseUntil = now + 1;
}

/** False, and nothing changes, when the fence has gone on. */
export function end(
  task: ModelTask,
  how: { readonly fence: number; readonly outcome: Outcome; readonly heldBy?: string | null },
  now: number,
): boolean {
  if (task.status !== "running" || task.fence !== how.fence) return false;
  task.owner = null;
  task.heldBy = how.heldBy ?? null;
  if (how.outcome === "lost") task.deaths += 1;
  if (how.outcome === "succeeded") {
    task.status = "succeeded";
    task.charged += 1;
  } else if (task.isCancelAsked || how.outcome === "cancelled") {
    task.status = "cancelled";
  } else {
    again(task, how.outcome, now);
  }
  return true;
}

/** After an end that is no success, and that no cancel makes final. */
function again(task: ModelTask, outcome: Outcome, now: number): void {
  task.status = "pending";
  task.dueAt = now;
  if (outcome === "interrupted") return;
  if (outcome === "lost") {
    if (task.deaths >= DEATHS_UNTIL_POISON) task.status = "failed";
    return;
  }
  task.charged += 1;
  if (task.charged > RETRY_TOTAL) task.status = "failed";
  else task.dueAt = now + task.charged;
}

export function cancel(task: ModelTask): void {
  if (isTerminal(task)) return;
  if (task.status === "running") task.isCancelAsked = true;
  else task.status = "cancelled";
}

export function redeliver(task: ModelTask, isForced: boolean, now: number): void {
  const mayBegin = isTerminal(task) && (task.status !== "succeeded" || isForced);
  if (!mayBegin) return;
  Object.assign(task, { status: "pending", life: task.life + 1, dueAt: now });
  Object.assign(task, { attempt: 0, charged: 0, deaths: 0, isCancelAsked: false });
}

/** All that a dead executor ran ends, and what it held is free. */
export function takeOver({ tasks, now }: Model, serviceId: string, outcome: Outcome): void {
  for (const task of tasks.values()) {
    if (task.owner === serviceId) end(task, { fence: task.fence, outcome }, now);
    if (task.heldBy === serviceId) task.heldBy = null;
  }
}
