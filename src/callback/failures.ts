// Says what went wrong with a delivery: a stable word, the host and the system's code; never the URL's path or query.
import type { AttemptError } from "../core/attempt.ts";
import { messageOf } from "../core/errors.ts";
import { AddressRefused } from "./address-guard.ts";
import { BadAnswer } from "./bad-answer.ts";

/** Why a delivery failed. */
export type FailureReason =
  | "url_invalid"
  | "secret_unreadable"
  | "address_refused"
  | "name_not_resolved"
  | "connect_failed"
  | "tls"
  | "not_http"
  | "connection_closed"
  | "redirect"
  | "status_not_2xx"
  | "response_too_large"
  | "body_compressed"
  | "body_not_success"
  | "timeout"
  | "internal";

/** A failure as data. Only a refused address is final: nothing but the operator changes it. */
export function failure(reason: FailureReason, message: string): AttemptError {
  const error = { name: "CallbackError", message, reason };
  return reason === "address_refused" ? { ...error, final: true } : error;
}

/** What the connection, the guard or the reader of the answer threw, as a failure. */
export function failureOf(thrown: unknown, host: string): AttemptError {
  if (thrown instanceof AddressRefused) return failure("address_refused", thrown.message);
  if (thrown instanceof BadAnswer) return failure(thrown.reason, `${host} ${thrown.message}`);
  const code = systemCodeOf(thrown);
  if (code === "") return failure("internal", `${host}: ${messageOf(thrown)}`);
  return { ...failure(reasonOf(code), `${host}: ${code}`), code };
}

/** The system's code of an error, such as ECONNREFUSED; empty when it has none. */
export function systemCodeOf(thrown: unknown): string {
  const code = thrown instanceof Error && "code" in thrown ? thrown.code : "";
  return typeof code === "string" ? code : "";
}

const reasons: readonly [RegExp, FailureReason][] = [
  [/^(ENOTFOUND|ENODATA|EAI_|ESERVFAIL|DNS_)/, "name_not_resolved"],
  [/^(ECONNRESET|ECONNABORTED|EPIPE|ERR_STREAM_PREMATURE_CLOSE)$/, "connection_closed"],
  [/CERT|SSL|TLS|SIGNATURE|ISSUER|CRL|HOSTNAME|^EPROTO$/, "tls"],
];

function reasonOf(code: string): FailureReason {
  return reasons.find(([pattern]) => pattern.test(code))?.[1] ?? "connect_failed";
}
