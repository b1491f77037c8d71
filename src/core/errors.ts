// The one error type of the platform: a code the HTTP layer maps, and a message that says the way out.
import type { RefusalNote } from "./refusal-note.ts";

/** Every failure a caller can be told about; `http/errors` maps each to a status and an envelope. */
export type ErrorCode =
  | "invalid" // malformed input: 422, `details.errors` names every field
  | "unauthorised" // signature, admin bearer: 401
  | "refused" // a business rule says no: 200 with code 1 on the seed's paths
  | "not_found" // 404
  | "method_not_allowed" // the path takes others: 405 with Allow
  | "too_large" // 413
  | "too_slow" // the request did not arrive in time: 408
  | "unsupported" // 415
  | "unavailable" // cannot accept now: 503 with Retry-After
  | "configuration" // the operator must act: exit code 78
  | "internal"; // a defect of ours: 500, never with its text

/** One field of malformed input and what is wrong with it. */
export interface FieldError {
  readonly field: string;
  readonly message: string;
}

/** All of them in one line. */
export function errorLine(errors: readonly FieldError[]): string {
  return errors.map(({ field, message }) => `${field} ${message}`).join("; ");
}

export interface ErrorDetails {
  readonly errors?: readonly FieldError[];
  readonly retryAfterS?: number;
  readonly data?: Readonly<Record<string, unknown>>;
  /** What callers are told in place of a message that names hosts or files: those are for the operator. */
  readonly forCallers?: string;
  /** Why exactly a signature was refused: for the log, never for the answer. */
  readonly refusal?: RefusalNote;
}

/** An expected failure with a code. Anything else that is thrown is a defect and is answered as `internal`. */
export class AppError extends Error {
  readonly code: ErrorCode;
  readonly details: ErrorDetails;

  constructor(code: ErrorCode, message: string, options: ErrorDetails & { cause?: unknown } = {}) {
    const { cause, ...details } = options;
    super(message, cause === undefined ? undefined : { cause });
    this.name = "AppError";
    this.code = code;
    this.details = details;
  }
}

/** Malformed input: the message says what is wrong with each field, and the way out where there is one for all. */
export function invalid(errors: readonly FieldError[], wayOut?: string): AppError {
  const message = errorLine(errors) + (wayOut === undefined ? "" : `; ${wayOut}`);
  return new AppError("invalid", message, { errors });
}

/** The message as callers may see it. */
export function callersMessage({ message, details }: AppError): string {
  return details.forCallers ?? message;
}

/** The text of anything that was thrown, for logs and messages. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
