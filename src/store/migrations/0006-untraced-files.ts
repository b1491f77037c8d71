// The sixth schema: which files of a job cannot be watched line by line.
import { nullableColumn, textColumn } from "./ddl.ts";
import type { Migration } from "./migration.ts";

const untraced = nullableColumn(
  textColumn(
    "untraced",
    "JSON array of its files that run without live lines, and why; null for none",
  ),
);

export const untracedFiles: Migration = {
  version: 6,
  name: "untraced-files",
  statements: (ddl) => ddl.addColumns("job_definitions", [untraced]),
  repair: "drop the column untraced from job_definitions if it is there",
};
