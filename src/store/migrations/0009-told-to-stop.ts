// The ninth schema: which executors were told to stop, and how often a task died with such a one.
import { big, int, nullableColumn, zero } from "./ddl.ts";
import type { Migration } from "./migration.ts";

const stoppingAt = nullableColumn(
  big("stopping_at", "epoch ms at which it was told to stop; null: it was not"),
);

const interruptions = zero(
  int("interruptions", "attempts of this life that died with an executor that was told to stop"),
);

export const toldToStop: Migration = {
  version: 9,
  name: "told-to-stop",
  oldestProgram: 6,
  statements: (ddl) => [
    ...ddl.addColumns("executors", [stoppingAt]),
    ...ddl.addColumns("tasks", [interruptions]),
  ],
  repair: "drop stopping_at from executors and interruptions from tasks, as far as they are there",
};
