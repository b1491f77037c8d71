// Finds the job a create asks for in the catalogue and checks its params, without ever loading job code.

import { createParamsChecker } from "../core/check-params.ts";
import { AppError, invalid } from "../core/errors.ts";
import type { JobDefinition } from "../core/job.ts";
import { nearestNames } from "../core/nearest-names.ts";
import { createShortCache } from "../core/short-cache.ts";
import { askStore } from "../core/store-answer.ts";
import type { JobCall } from "../core/task-content.ts";
import type { CatalogueStore } from "../store/catalogue-store.ts";

/** Throws AppError `refused` for an unknown job, `invalid` for wrong params, `unavailable`. */
export type FindJob = (call: JobCall) => Promise<JobDefinition>;

/** Definitions are remembered for a second: a new deploy's params count at most that much later. */
export function createJobFinder(catalogue: CatalogueStore): FindJob {
  const find = createShortCache({ load: (name) => catalogue.find(name) });
  const check = createParamsChecker();

  return async ({ className, params, field }) => {
    const definition = await askStore(() => find(className));
    if (definition === undefined) throw await unknownJob(catalogue, className);
    const { errors } = check(definition, params, field);
    if (errors.length > 0) throw invalid(errors);
    return definition;
  };
}

/** For callers that name a class of another language, as the original API did. */
const FROM_PHP =
  "; list this name in `aliases` of the job that takes its place, or leave `class` out: then the content is delivered to the application's linkUrl";

async function unknownJob(catalogue: CatalogueStore, className: string): Promise<AppError> {
  const { nearest, likely } = nearestNames(className, await askStore(() => catalogue.names()));
  const wayOut = className.includes("\\") ? FROM_PHP : "";
  const what = `no job named '${printable(className)}'`;
  if (nearest.length === 0)
    return new AppError(
      "refused",
      `${what}; no executor has published any job: is one running, and are there files in its JOBS_DIR?${wayOut}`,
    );
  if (likely.length === 0)
    return new AppError("refused", `${what}; the nearest are ${quote(nearest, ", ")}${wayOut}`);
  return new AppError("refused", `${what}; did you mean ${quote(likely, " or ")}?${wayOut}`);
}

function quote(names: readonly string[], separator: string): string {
  return names.map((name) => `'${name}'`).join(separator);
}

/** A name somebody sent, short and without control characters. */
function printable(name: string): string {
  return name.replace(/\p{Cc}/gu, "�").slice(0, 100);
}
