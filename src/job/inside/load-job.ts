// Imports one job file in a job worker and says what job it defines, or what is wrong with it.
import { pathToFileURL } from "node:url";
import { errorData, innerErrors } from "../wire/error-data.ts";
import { describeJob, type LoadedJob } from "./describe-job.ts";

/** Imports the file, which runs its code. */
export async function loadJob(file: string): Promise<LoadedJob> {
  let exported: Readonly<Record<string, unknown>>;
  try {
    exported = (await import(pathToFileURL(file).href)) as Readonly<Record<string, unknown>>;
  } catch (thrown) {
    return { kind: "refused", message: `it cannot be imported: ${importProblem(thrown)}` };
  }
  return describeJob(exported["default"]);
}

/** Bun reports several syntax errors as one AggregateError without a text of its own. */
function importProblem(thrown: unknown): string {
  const [inner] = innerErrors(thrown);
  const first = inner ?? thrown;
  const { name, message } = errorData(first);
  return `${name}: ${message}`;
}
