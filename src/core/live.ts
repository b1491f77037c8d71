// What an api process may ask a running executor about an attempt, and what comes back.
import type { KillReceipt, LiveView } from "./attempt.ts";

/** Sent to the executor that owns the attempt; `fence` keeps an old question off a newer attempt. */
export interface LiveQuestion {
  readonly kind: "inspect" | "cancel";
  readonly taskId: number;
  readonly fence: number;
  /** Of a cancel: how long the attempt may end by itself after its signal; default 0. */
  readonly graceMs?: number;
}

export type LiveAnswer =
  | { readonly kind: "view"; readonly view: LiveView }
  | { readonly kind: "receipt"; readonly receipt: KillReceipt }
  /** The executor has no such attempt (any more). */
  | { readonly kind: "unknown" };
