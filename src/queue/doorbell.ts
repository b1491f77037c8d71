// Reads a doorbell out of anything that came over a wire.
import { LANES, type Lane } from "../core/task.ts";
import type { Doorbell } from "./queue.ts";

/** The doorbell in `value`, or undefined when it is none. */
export function readDoorbell(value: unknown): Doorbell | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const { lane, dueInMs, taskId } = value as Partial<Record<keyof Doorbell, unknown>>;
  if (!isLane(lane) || !isDueInMs(dueInMs)) return undefined;
  if (taskId === undefined) return { lane, dueInMs };
  return Number.isSafeInteger(taskId) ? { lane, dueInMs, taskId: Number(taskId) } : undefined;
}

function isLane(value: unknown): value is Lane {
  return LANES.some((lane) => lane === value);
}

function isDueInMs(value: unknown): value is number {
  return Number.isFinite(value) && Number(value) >= 0;
}
