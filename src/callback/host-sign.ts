// Reads from the end of a delivery what it says of its host, and of its application there.
import type { AttemptEnd } from "../core/attempt.ts";
import type { HostSign } from "./host-gates.ts";

/** Nothing came back, for any application. */
const SILENT_REASONS = new Set(["name_not_resolved", "connect_failed", "tls", "connection_closed"]);
/** Decided here, before anything was sent. */
const OWN_REASONS = new Set(["url_invalid", "secret_unreadable", "address_refused", "internal"]);
/** A task that waits less long is impatient: its host need not be to blame. */
const PATIENT_MS = 1_000;

/**
 * A host that answers is alive, also when it does not like the delivery. 5xx, 429, an answer that breaks off and one
 * that is no HTTP speak of trouble with what this one application asks for, and more of its deliveries would not help.
 */
export function hostSign({ outcome, error, delivery }: AttemptEnd, elapsedMs: number): HostSign {
  if (outcome === "cancelled" || outcome === "interrupted") return "nothing";
  const reason = error?.reason ?? "";
  if (OWN_REASONS.has(reason)) return "nothing";
  if ((delivery?.status ?? null) === null) return signOfSilence(reason, elapsedMs);
  return isTrouble(reason, delivery?.status ?? 0) ? "trouble" : "alive";
}

function signOfSilence(reason: string, elapsedMs: number): HostSign {
  if (SILENT_REASONS.has(reason)) return "silent";
  if (reason === "timeout") return elapsedMs >= PATIENT_MS ? "silent" : "unheard";
  return reason === "not_http" ? "trouble" : "alive";
}

function isTrouble(reason: string, status: number): boolean {
  if (reason === "timeout" || reason === "not_http" || SILENT_REASONS.has(reason)) return true;
  return status >= 500 || status === 429;
}
