// Two files under one name: nobody could say which of them a task would run.
import { AppError } from "../core/errors.ts";
import type { Catalogue } from "./catalogue.ts";

/** Throws AppError `configuration` that names each shared name and its files. */
export function refuseDuplicates({ duplicates }: Pick<Catalogue, "duplicates">): void {
  if (duplicates.length === 0) return;
  const lines = duplicates.map(({ name, files }) => `\n  "${name}": ${files.join(" and ")}`);
  const message = `job names must be unique, aliases included; rename one of each:${lines.join("")}`;
  throw new AppError("configuration", message);
}
