// What an api process may ask a running executor about an attempt, and what comes back.
import type { KillReceipt, LiveView } from "./attempt.ts";
import type { HostState } from "./views/hosts.ts";

export type LiveQuestion = AttemptQuestion | HostsQuestion;

/** Sent to the executor that owns the attempt; `fence` keeps an old question off a newer attempt. */
export interface AttemptQuestion {
  /** `watch`: put its events on the feed for the next `WATCH_MS`. */
  readonly kind: "inspect" | "cancel" | "watch";
  readonly taskId: number;
  readonly fence: number;
  /** With the first `watch` of a watcher: it has the events up to this one, and wants what follows put there again. */
  readonly afterSeq?: number;
  /** Of a cancel: how long the attempt may end by itself after its signal; default 0. */
  readonly graceMs?: number;
}

/** What any executor knows of the hosts it delivers to. */
export interface HostsQuestion {
  readonly kind: "hosts";
}

export type LiveAnswer =
  | { readonly kind: "view"; readonly view: LiveView }
  | { readonly kind: "receipt"; readonly receipt: KillReceipt }
  | { readonly kind: "hosts"; readonly hosts: readonly HostState[] }
  | { readonly kind: "watched" }
  /** The executor has no such attempt (any more). */
  | { readonly kind: "unknown" };

/** How long one `watch` keeps the events coming; watchers repeat it three times as often. */
export const WATCH_MS = 15_000;

/** The name of an attempt's feed. */
export function feedOf({ taskId, fence }: { readonly taskId: number; readonly fence: number }) {
  return `${taskId}-${fence}`;
}
