// Maps what was thrown to a status and an envelope; nothing of a defect's text leaves the process.
import { AppError, callersMessage, type ErrorCode, messageOf } from "../core/errors.ts";
import { fail } from "./envelope.ts";

const STATUSES: Readonly<Record<ErrorCode, number>> = {
  invalid: 422,
  unauthorised: 401,
  refused: 200,
  not_found: 404,
  method_not_allowed: 405,
  too_large: 413,
  too_slow: 408,
  unsupported: 415,
  unavailable: 503,
  configuration: 500,
  internal: 500,
};

/** The HTTP status of a code, in the envelope. */
export function statusOf(code: ErrorCode): number {
  return STATUSES[code];
}

/** What callers may learn of a failure. */
export interface ToldFailure {
  readonly status: number;
  readonly error: AppError;
  readonly headers: Readonly<Record<string, string>>;
}

const DEFECT = new AppError("internal", "internal error; the log has it under this X-Request-Id");

/** `challenge` is the WWW-Authenticate of the route. */
export function toldFailure(error: unknown, challenge?: string): ToldFailure {
  const status = error instanceof AppError ? STATUSES[error.code] : 500;
  if (!(error instanceof AppError) || status === 500) {
    return { status: 500, error: DEFECT, headers: {} };
  }
  const { message, details, code } = error;
  const told = callersMessage(error);
  const shown = told === message ? error : new AppError(code, told, details);
  return { status, error: shown, headers: headersFor(error, challenge) };
}

/** The response to a request that failed, in the envelope. */
export function errorResponse(thrown: unknown, challenge?: string): Response {
  const { status, error, headers } = toldFailure(thrown, challenge);
  const data = error.details.errors ? { errors: error.details.errors } : error.details.data;
  return fail(status, error.message, { data, headers });
}

function headersFor(error: AppError, challenge: string | undefined): Record<string, string> {
  if (error.code === "unavailable") {
    return { "retry-after": String(error.details.retryAfterS ?? 1) };
  }
  if (error.code === "unauthorised" && challenge) return { "www-authenticate": challenge };
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
