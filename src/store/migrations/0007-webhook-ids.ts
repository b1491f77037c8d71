// Ids of callbacks that no other database gives out again, also after an older copy of this one was restored.
import { key, nullableColumn } from "./ddl.ts";
import type { Migration } from "./migration.ts";

const webhookTag = nullableColumn(
  key(
    "webhook_tag",
    32,
    "random part of its webhook-id; null: made of its id, as before this column",
  ),
);

export const webhookIds: Migration = {
  version: 7,
  name: "webhook-ids",
  oldestProgram: 6,
  statements: (ddl) => ddl.addColumns("tasks", [webhookTag]),
  repair: "drop the column webhook_tag from tasks if it is there",
};
