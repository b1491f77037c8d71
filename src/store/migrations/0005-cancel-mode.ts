// How a requested cancel is to end a running attempt: at once, or after a time in which it may end by itself.
import { big, nullableColumn } from "./ddl.ts";
import type { Migration } from "./migration.ts";

const cancelGrace = nullableColumn(
  big(
    "cancel_grace_ms",
    "ms a cancelled attempt may end by itself after its signal; null or 0: killed at once",
  ),
);

export const cancelMode: Migration = {
  version: 5,
  name: "cancel-mode",
  statements: (ddl) => ddl.addColumns("tasks", [cancelGrace]),
  repair: "drop the column cancel_grace_ms of the table tasks if it exists",
};
