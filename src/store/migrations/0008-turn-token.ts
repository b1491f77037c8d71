// The eighth schema: which turn began an attempt, for when the answer to its claim was lost.
import { key, nullableColumn } from "./ddl.ts";
import type { Migration } from "./migration.ts";

const turnToken = nullableColumn(
  key("turn_token", 32, "random, of the turn that claimed it; null: an older program did"),
);

export const turnTokens: Migration = {
  version: 8,
  name: "turn-token",
  oldestProgram: 6,
  statements: (ddl) => ddl.addColumns("attempts", [turnToken]),
  repair: "drop the column turn_token from attempts if it is there",
};
