// The eleventh schema: when each lane of an executor was heard last, and how far its clock is off.
import { big, nullableColumn } from "./ddl.ts";
import type { Migration } from "./migration.ts";

const columns = [
  nullableColumn(big("job_seen_at", "epoch ms of the last sign of its job lane; null: none yet")),
  nullableColumn(
    big("callback_seen_at", "epoch ms of the last sign of its callback lane; null: none"),
  ),
  nullableColumn(
    big("clock_ahead_ms", "how far its clock is ahead of the database's; null: unknown"),
  ),
];

export const executorSigns: Migration = {
  version: 11,
  name: "executor-signs",
  oldestProgram: 6,
  statements: (ddl) => ddl.addColumns("executors", columns),
  repair: `drop ${columns.map(({ name }) => name).join(", ")} from executors, as far as they are there`,
};
