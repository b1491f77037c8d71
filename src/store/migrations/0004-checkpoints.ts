// Adds where running attempts were last seen, for when nobody can be asked.
import { big, type Table, textColumn } from "./ddl.ts";
import type { Migration } from "./migration.ts";

const checkpoints: Table = {
  name: "attempt_checkpoints",
  comment: "where attempts were last seen while they ran; missing for short ones",
  columns: [
    big("attempt_id", "whose it is"),
    big("written_at", "epoch ms at which it was seen there"),
    textColumn("view", "JSON of the place, vars and progress"),
  ],
  primaryKey: ["attempt_id"],
};

export const checkpointTable: Migration = {
  version: 4,
  name: "checkpoints",
  statements: (ddl) => ddl.createTable(checkpoints),
  repair: "drop the table attempt_checkpoints (it is empty)",
};
