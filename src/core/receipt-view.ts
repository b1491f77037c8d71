// Shows the proof of a kill.
import type { KillReceipt } from "./attempt.ts";
import type { ReceiptView } from "./views/receipt.ts";

/** Times are in ms; what an attempt of an older version did not keep is null. */
export function receiptView(receipt: KillReceipt): ReceiptView {
  const { killed, method, latencyMs, stack = [], remoteMayContinue } = receipt;
  const { reason = null, by = null, at = null } = receipt;
  const view: ReceiptView = { killed, method, latency_ms: latencyMs, stack, reason, by, at };
  return remoteMayContinue ? { ...view, remoteMayContinue } : view;
}
