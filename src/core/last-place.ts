// Where an attempt was at the moment its executor died, as far as that can be found out.
import type { Excerpt, LiveView } from "./attempt.ts";

/** Where an attempt was when its executor died. */
export interface LastPlace {
  readonly place: Pick<LiveView, "state" | "frames" | "waiting" | "ran">;
  readonly excerpts: readonly Excerpt[];
}

/** Looks at what dead executors left on this machine; undefined when they left nothing of this attempt. */
export type FindPlace = (attemptId: number) => LastPlace | undefined;
