// How a requested cancel is to end a running attempt: at once, or after a time in which it may end by itself.
import type { SqlKind } from "./ddl.ts";
import type { Migration } from "./migration.ts";

const COMMENT =
  "ms a cancelled attempt may end by itself after its signal; null or 0: killed at once";

function addColumn(kind: SqlKind): string {
  const column = "ALTER TABLE tasks ADD COLUMN cancel_grace_ms";
  if (kind === "mysql") return `${column} BIGINT NULL COMMENT '${COMMENT}'`;
  // SQLite puts this text in front of the table's closing parenthesis: no comment may reach to the end of the line.
  return `${column} INTEGER NULL /* ${COMMENT} */`;
}

export const cancelMode: Migration = {
  version: 5,
  name: "cancel-mode",
  statements: (kind) => [addColumn(kind)],
  repair: "drop the column cancel_grace_ms of the table tasks if it exists",
};
