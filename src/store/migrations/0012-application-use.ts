// The twelfth schema: when an application last created a task, so that executors know whether they are shared.
import { big, nullableColumn } from "./ddl.ts";
import type { Migration } from "./migration.ts";

const lastTaskAt = nullableColumn(
  big("last_task_at", "epoch ms of a create, at most ten minutes behind the last one; null: none"),
);

export const applicationUse: Migration = {
  version: 12,
  name: "application-use",
  oldestProgram: 6,
  statements: (ddl) => ddl.addColumns("applications", [lastTaskAt]),
  repair: "drop the column last_task_at from applications if it is there",
};
