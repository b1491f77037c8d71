// The second schema: secrets of callbacks and their rotation, how a delivery succeeds, retries beyond the linear ones.
import { big, type Column, key, nullableColumn, textColumn } from "./ddl.ts";
import type { Migration } from "./migration.ts";

const retry = nullableColumn(
  textColumn(
    "retry",
    "JSON of a retry policy that is more than retry_step_s and retry_total can say",
  ),
);

const columns: Readonly<Record<string, readonly Column[]>> = {
  applications: [
    retry,
    {
      ...key("success_match", 8, "what a delivery needs: body (2xx and success) or 2xx"),
      default: "'body'",
    },
    nullableColumn(
      textColumn(
        "callback_secret_sealed",
        "secret of callbacks, encrypted; null before its rotation",
      ),
    ),
    nullableColumn(
      textColumn("previous_secret_sealed", "the secret before the last rotation, encrypted"),
    ),
    nullableColumn(
      textColumn("previous_callback_secret_sealed", "the callback secret before it, encrypted"),
    ),
    nullableColumn(big("previous_until", "epoch ms up to which the previous secrets are good")),
  ],
  tasks: [retry],
  job_definitions: [retry],
};

const named = Object.entries(columns).map(
  ([table, added]) => `${added.map(({ name }) => name).join(", ")} from ${table}`,
);

/** Only adds columns, so that no table is copied, however large it is. */
export const rotationAndRetries: Migration = {
  version: 2,
  name: "rotation-and-retries",
  statements: (ddl) =>
    Object.entries(columns).flatMap(([table, added]) => ddl.addColumns(table, added)),
  repair: `drop the columns it has added (of ${named.join("; ")})`,
};
