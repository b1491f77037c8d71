// Which living executors have a job, as far as they tell, and what is said when none has it.
import { formatInstant } from "./timestamps.ts";

/** Two leases: an executor that was silent for longer is taken for dead. */
export const SILENT_MS = 30_000;

export interface JobHolders {
  /** `unknown`: one of the living does not tell its jobs (an older program, or it is just starting). */
  readonly kind: "living" | "none" | "unknown";
  /** The last holder, and when it was last seen; null when none is known. */
  readonly last: { readonly serviceId: string; readonly at: number } | null;
}

/** One sentence about a task that nobody can run. A null job: of callbacks, which every executor delivers. */
export function nobodyHas(job: string | null, { last }: JobHolders, timezone: string): string {
  const what = job === null ? "no executor is alive" : `no living executor has the job '${job}'`;
  if (last === null) return what;
  return `${what}; last seen on ${last.serviceId} at ${formatInstant(last.at, timezone)}`;
}
