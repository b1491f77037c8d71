// Reads from the end of a delivery whether its host is well.
import type { AttemptEnd } from "../core/attempt.ts";
import type { HostSign } from "./host-gates.ts";

const DEAD_REASONS = new Set([
  "name_not_resolved",
  "connect_failed",
  "tls",
  "not_http",
  "connection_closed",
  "timeout",
]);
/** Decided here, before anything was sent. */
const OWN_REASONS = new Set(["url_invalid", "secret_unreadable", "address_refused", "internal"]);

/**
 * A host that answers is alive, also when it does not like the delivery: that is a matter between it and the one
 * application. One that answers 5xx or 429 has trouble of its own, and more deliveries would not help it.
 */
export function hostSign({ outcome, error, delivery }: AttemptEnd): HostSign {
  if (outcome === "cancelled" || outcome === "interrupted") return "nothing";
  const reason = error?.reason ?? "";
  if (OWN_REASONS.has(reason)) return "nothing";
  if (DEAD_REASONS.has(reason)) return "dead";
  const status = delivery?.status ?? 0;
  return status >= 500 || status === 429 ? "dead" : "alive";
}
