// What an api process may ask a running executor about an attempt, and what comes back.
import type { KillReceipt, LiveView } from "./attempt.ts";
import type { HostState } from "./host-state.ts";

export type LiveQuestion = AttemptQuestion | HostsQuestion;

/** Sent to the executor that owns the attempt; `fence` keeps an old question off a newer attempt. */
export interface AttemptQuestion {
  readonly kind: "inspect" | "cancel";
  readonly taskId: number;
  readonly fence: number;
}

/** What any executor knows of the hosts it delivers to. */
export interface HostsQuestion {
  readonly kind: "hosts";
}

export type LiveAnswer =
  | { readonly kind: "view"; readonly view: LiveView }
  | { readonly kind: "receipt"; readonly receipt: KillReceipt }
  | { readonly kind: "hosts"; readonly hosts: readonly HostState[] }
  /** The executor has no such attempt (any more). */
  | { readonly kind: "unknown" };
