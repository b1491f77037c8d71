// How cancel and detail name a task: by id or taskNo, and optionally by where the caller believes it runs.
import { type Static, Type } from "@sinclair/typebox";
import { invalid } from "../core/errors.ts";
import { named } from "../core/views/named.ts";
import { createForm, type Form, mapForm } from "./form.ts";
import { name, taskId, taskNo, whole } from "./schemas.ts";

/** A task of the caller's, and what must be true of its running attempt. */
export interface WhichTask {
  readonly key: { readonly id: number } | { readonly taskNo: string };
  readonly place: { readonly coroutineId?: number; readonly serviceId?: string };
}

/** In words: beside `oneOf: [{required: …}]` generators drop the fields, and the types are gone. */
export const WHICH = { description: "One of id and taskNo says which task; not both." };

/** The fields of `/task/cancel` and `/task/detail`. */
export const whichTask = named(
  "WhichTask",
  Type.Object(
    {
      id: Type.Optional(taskId()),
      taskNo: Type.Optional(taskNo()),
      coroutine_id: Type.Optional(
        whole({
          min: 0,
          max: Number.MAX_SAFE_INTEGER,
          description: "Where the caller believes it runs; a mismatch answers Unknown!",
          example: 6,
        }),
      ),
      service_id: Type.Optional(
        name({
          min: 1,
          max: 255,
          description: "The executor the caller believes it runs on; a mismatch answers Unknown!",
          example: "executor-1",
        }),
      ),
    },
    WHICH,
  ),
);

/** Reads these fields. */
export function createTaskForm(curl: string): Form<WhichTask> {
  return mapForm(createForm(whichTask, curl, "seed"), readWhich);
}

/** Throws AppError `invalid` unless exactly one of id and taskNo is given. */
export function readWhich(input: Static<typeof whichTask>): WhichTask {
  const place = {
    ...(input.coroutine_id !== undefined && { coroutineId: input.coroutine_id }),
    ...(input.service_id !== undefined && { serviceId: input.service_id }),
  };
  const { id, taskNo: number } = input;
  if (id !== undefined && number === undefined) return { key: { id }, place };
  if (id === undefined && number !== undefined) return { key: { taskNo: number }, place };
  throw invalid([{ field: "id", message: "or taskNo must be given, and only one of them" }]);
}
