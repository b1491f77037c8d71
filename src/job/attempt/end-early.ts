// The end of an attempt that no job worker ever accepted: stopped during the import of its file, or refused by it.
import type { KillReceipt } from "../../core/attempt.ts";
import type { RefusedLoad } from "../host/load-file.ts";
import type { Taking } from "../host/pool.ts";
import { platformError } from "../wire/error-data.ts";
import { crashStop, receiptOf, type Stop } from "./attempt-stop.ts";
import type { AttemptObserver, LastLook } from "./attempt-view.ts";
import { endByKill, type KilledEnd } from "./killed-end.ts";

interface Waiting {
  readonly taking: Taking;
  readonly observer: AttemptObserver;
}

/** No line of `run` was reached, but importing a file runs code, which may never end. */
export function endEarly(waiting: Waiting, why: Stop | RefusedLoad): Promise<KilledEnd> {
  if (why.kind === "stop") return stopImport(waiting, why);
  if (why.death === undefined) return refuse(waiting, why.message);
  return stopImport(waiting, crashStop({ kind: "crashed", ...why.death }));
}

async function stopImport({ taking, observer }: Waiting, stop: Stop): Promise<KilledEnd> {
  const last = await lookAtImport({ taking, observer });
  const killing = abandon(taking, stop.sinceMs);
  return endByKill({ observer, last, killing, method: "none" }, stop);
}

/** The file is at fault; the trace tells how far its import came. */
async function refuse({ taking, observer }: Waiting, why: string): Promise<KilledEnd> {
  const last = await lookAtImport({ taking, observer });
  const gone = abandon(taking, performance.now());
  const error = platformError("job_file", `the job's file cannot be loaded: ${why}`);
  return { end: { outcome: "failed", error, trace: observer.end("failed", last) }, gone };
}

async function lookAtImport({ taking, observer }: Waiting): Promise<LastLook | undefined> {
  const { loading } = taking;
  if (loading === null) return;
  await loading.refresh();
  return observer.lastLook(loading.method);
}

async function abandon(taking: Taking, sinceMs: number): Promise<KillReceipt> {
  const { killed, method } = await taking.abandon();
  return receiptOf(killed, { sinceMs, method });
}
