// What a job worker's thread tells when its executor has too much memory.
import type { MemorySuspect } from "../../core/attempt.ts";
import type { JobHost } from "../host/job-host.ts";
import type { PooledJob } from "../host/pool.ts";

/** A thread has this long to say how large its heap is. */
const ASK_MS = 100;

/** Asked at that moment: nobody is blamed because somebody had looked at it. Undefined for an attempt with memory of its own. */
export async function suspectOf(
  { isolation }: PooledJob,
  host: JobHost | null,
  startedMs: number,
): Promise<MemorySuspect | undefined> {
  if (isolation === "process") return;
  if (host === null) {
    return { startedMs, threadId: null, hasAnswered: false, heapBytes: null };
  }
  const hasAnswered = await host.ping(ASK_MS);
  const { heapBytes } = host.vitals();
  return { startedMs, threadId: host.threadId(), hasAnswered, heapBytes };
}
