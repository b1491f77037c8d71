// The end of an attempt that was killed: its receipt and trace, with the proof of death if that comes in time.
import type { AttemptEnd, KillReceipt } from "../../core/attempt.ts";
import { within } from "../../core/within.ts";
import { proofWithinMs, receiptOf, receiptWords, type Stop } from "./attempt-stop.ts";
import type { AttemptObserver, LastLook } from "./attempt-view.ts";

/** An attempt whose kill has begun. */
export interface Dying {
  readonly observer: AttemptObserver;
  /** Before the kill; undefined where nothing of it ever ran. */
  readonly last: LastLook | undefined;
  readonly killing: Promise<KillReceipt>;
  /** What the receipt calls the kill as long as it is not proven. */
  readonly method: KillReceipt["method"];
}

export interface KilledEnd {
  readonly end: AttemptEnd;
  readonly gone: Promise<KillReceipt>;
}

/** Settles at the latest when the end must be recorded; `gone` then still waits for the proof. */
export async function endByKill(
  { observer, last, killing, method }: Dying,
  stop: Stop,
): Promise<KilledEnd> {
  const { outcome, error, sinceMs } = stop;
  const proof = await within(killing, proofWithinMs(sinceMs));
  const trace = observer.end(outcome, last);
  const words = receiptWords(stop, trace.view);
  const receipt = { ...(proof ?? receiptOf(false, { sinceMs, method })), ...words };
  const gone = killing.then((later) => ({ ...later, ...words }));
  return { end: { outcome, error, receipt, trace }, gone };
}
