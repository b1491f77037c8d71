// Imports one job file in a job worker and says what job it defines, or what is wrong with it.
import { pathToFileURL } from "node:url";
import type { SourcePlace } from "../wire/place.ts";
import { describeJob, type LoadedJob } from "./describe-job.ts";
import { importProblem, placeOfField } from "./import-problem.ts";

type ReadJob =
  | Extract<LoadedJob, { kind: "loaded" }>
  | {
      readonly kind: "refused";
      readonly message: string;
      readonly place?: SourcePlace | undefined;
    };

/** Imports the file, which runs its code. */
export async function loadJob(file: string): Promise<ReadJob> {
  let exported: Readonly<Record<string, unknown>>;
  try {
    exported = (await import(pathToFileURL(file).href)) as Readonly<Record<string, unknown>>;
  } catch (thrown) {
    const { message, place } = importProblem(thrown, file);
    return { kind: "refused", message: `it cannot be imported: ${message}`, place };
  }
  const described = describeJob(exported["default"]);
  if (described.kind === "loaded") return described;
  const { kind, message, field } = described;
  return { kind, message, place: placeOfField(file, field) };
}
