// Maps what was thrown to a status and an envelope; nothing of a defect's text leaves the process.
import { AppError, type ErrorCode, messageOf } from "../core/errors.ts";
import { fail } from "./envelope.ts";

const STATUSES: Readonly<Record<ErrorCode, number>> = {
  invalid: 422,
  unauthorised: 401,
  refused: 200,
  not_found: 404,
  too_large: 413,
  unsupported: 415,
  unavailable: 503,
  configuration: 500,
  internal: 500,
};

/** The answer to a request that failed; `challenge` is the WWW-Authenticate of its route. */
export function errorResponse(error: unknown, challenge?: string): Response {
  const status = error instanceof AppError ? STATUSES[error.code] : 500;
  if (!(error instanceof AppError) || status === 500) {
    return fail(500, "internal error; the log has it under this X-Request-Id");
  }
  const data = error.details.errors ? { errors: error.details.errors } : error.details.data;
  return fail(status, error.message, { data, headers: headersFor(error, challenge) });
}

function headersFor(error: AppError, challenge: string | undefined): Record<string, string> {
  if (error.code === "unavailable") {
    return { "retry-after": String(error.details.retryAfterS ?? 1) };
  }
  if (error.code === "unauthorised" && challenge) return { "www-authenticate": challenge };
  // What the client still sends of a refused body would be read as its next request.
  if (error.code === "too_large") return { connection: "close" };
  return {};
}

/** What the log says about a failure: nothing for what the caller did wrong. */
export function failureNote(error: unknown): string | undefined {
  if (!(error instanceof AppError)) return describeDefect(error);
  if (error.code === "unavailable") return messageOf(error.cause ?? error);
  return STATUSES[error.code] === 500 ? describeDefect(error) : undefined;
}

function describeDefect(error: unknown): string {
  return error instanceof Error && error.stack !== undefined ? error.stack : messageOf(error);
}
