// The fifteenth schema: which keys of a job's params must not be shown.
import { nullableColumn, textColumn } from "./ddl.ts";
import type { Migration } from "./migration.ts";

const redact = nullableColumn(
  textColumn("redact", "JSON array of more keys whose values are never shown; null for none"),
);

export const redactedKeys: Migration = {
  version: 15,
  name: "redacted-keys",
  oldestProgram: 6,
  statements: (ddl) => ddl.addColumns("job_definitions", [redact]),
  repair: "drop the column redact from job_definitions if it is there",
};
