// The view of a task that was just created.
import { Type } from "@sinclair/typebox";
import { named } from "./named.ts";
import { int64, type Shown, warningsField } from "./shapes.ts";

export const createdTaskSchema = named(
  "CreatedTask",
  Type.Object({
    taskId: int64(),
    runAt: Type.Optional(
      int64(
        "The instant that `runtime` was read as, epoch ms; absent without one. One that is past is answered as it was read, yet the task is due at once: `run_at` in its detail is the time of the create.",
      ),
    ),
    runAtText: Type.Optional(
      Type.String({ description: "The same as ISO 8601 in the zone of the platform." }),
    ),
    warnings: warningsField,
  }),
);

export type CreatedTask = Shown<typeof createdTaskSchema>;
