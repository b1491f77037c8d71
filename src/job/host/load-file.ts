// Has a job worker import one file, with a time limit: importing runs code, which may spin or exit.
import { dirname } from "node:path";
import { within } from "../../core/within.ts";
import { placeInStack, withPlace } from "../wire/place.ts";
import type { Death, FromJobWorker, LoadMessage } from "../wire/protocol.ts";
import type { JobHost } from "./job-host.ts";

const READY_LIMIT_MS = 10_000;
const IMPORT_LIMIT_MS = 5_000;

export type FileLoad = Extract<FromJobWorker, { kind: "loaded" }> | RefusedLoad;

/** The job worker is of no use any more and must be killed. */
export interface RefusedLoad {
  readonly kind: "refused";
  readonly message: string;
  /** The import ended the job worker. */
  readonly death?: Death;
  /** It never got as far as the file, which is not to blame. */
  readonly isUnstarted?: true;
}

/** Waits until the job worker is ready, then for the import. */
export async function loadFile(host: JobHost, load: Omit<LoadMessage, "kind">): Promise<FileLoad> {
  const loading = hearLoad(host, dirname(load.file));
  const isReady = await within(host.ready, READY_LIMIT_MS);
  if (isReady === undefined) return unstarted();
  // Of one that died before, also long before, that is heard at once.
  const early = isReady ? await Promise.race([loading, Promise.resolve()]) : await loading;
  if (early !== undefined) return unstarted(early);
  host.post({ kind: "load", ...load });
  const loaded = await within(loading, IMPORT_LIMIT_MS);
  const message = `importing it took longer than ${IMPORT_LIMIT_MS / 1_000} s`;
  return loaded ?? { kind: "refused", message };
}

/** `loading` tells why, where it died. */
function unstarted(loading?: FileLoad): RefusedLoad {
  const why = loading?.kind === "refused" ? loading.death?.error.message : undefined;
  const message = `its job worker did not start${why === undefined ? "" : `: ${why}`}`;
  return { kind: "refused", message, isUnstarted: true };
}

function hearLoad(host: JobHost, folder: string): Promise<FileLoad> {
  const { promise, resolve } = Promise.withResolvers<FileLoad>();
  const refuse = (why: string, death?: Death) =>
    resolve({ kind: "refused", message: why, ...(death && { death }) });
  host.listen({
    message(message) {
      if (message.kind === "loaded") resolve(message);
      if (message.kind === "refused") refuse(withPlace(message.message, message.place));
      if (message.kind === "crashed") {
        const { message: said, stack = "" } = message.error;
        refuse(withPlace(`it failed while importing: ${said}`, placeInStack(stack, folder)));
      }
    },
    death: (death) => refuse(`it ended while importing: ${death.error.message}`, death),
  });
  return promise;
}
