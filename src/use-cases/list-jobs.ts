// The use case of looking at the jobs that exist: what the catalogue has, and which executors have each.
import { askStore } from "../core/store-answer.ts";
import type { JobsView, JobView } from "../core/views/jobs.ts";
import type { CatalogueEntry } from "../store/catalogue-store.ts";
import type { Store } from "../store/store.ts";

/** Throws AppError `unavailable`. */
export async function listJobs({ store }: { store: Pick<Store, "catalogue"> }): Promise<JobsView> {
  const entries = await askStore(() => store.catalogue.list());
  return { jobs: entries.map(viewOf).sort((a, b) => (a.name < b.name ? -1 : 1)) };
}

function viewOf({ job, publishedAt, executors }: CatalogueEntry): JobView {
  const { name, aliases, params, timeoutMs, isolation, sourceHash } = job;
  return { name, aliases, params, timeoutMs, isolation, sourceHash, publishedAt, executors };
}
