// The third schema: what went over the wire in each delivery.
import { nullableColumn, textColumn } from "./ddl.ts";
import type { Migration } from "./migration.ts";

const delivery = nullableColumn(
  textColumn("delivery", "JSON of what went over the wire; callbacks only"),
);

/** Only adds a column, so that no table is copied, however large it is. */
export const deliveryLogs: Migration = {
  version: 3,
  name: "delivery-logs",
  statements: (ddl) => ddl.addColumns("attempt_ends", [delivery]),
  repair: "drop the column delivery from attempt_ends if it is there",
};
