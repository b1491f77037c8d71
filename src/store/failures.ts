// Sorts what the drivers throw: busy, away, misconfigured, a duplicate key, or a statement that was refused.
import { AppError, messageOf } from "../core/errors.ts";

/**
 * `busy`: try the same again soon. `away`: the database cannot work now. `configuration`: the operator must act.
 * `duplicate`: a unique key exists. `statement`: this statement with these values was refused.
 */
export type FailureKind = "busy" | "away" | "configuration" | "duplicate" | "statement";

/** Judges what the driver of one database throws. */
export interface FailureJudge {
  kindOf(thrown: unknown): FailureKind;
  /** True when what was sent may have been committed although no answer said so. */
  isOutcomeUnknown(thrown: unknown): boolean;
  /** True when the statement named a table that does not exist. */
  isMissingTable(thrown: unknown): boolean;
  /** True when a CREATE TABLE met a table of that name. */
  isExistingTable(thrown: unknown): boolean;
}

/** Whatever has the judge: a dialect. */
interface Judging {
  readonly failures: FailureJudge;
}

interface CodedError {
  readonly code?: unknown;
}

/** What kind of failure was thrown by a driver. */
export function failureKind(thrown: unknown, { failures }: Judging): FailureKind {
  if (thrown instanceof AppError) return thrown.code === "configuration" ? "configuration" : "away";
  return failures.kindOf(thrown);
}

/** True when other rows in the same statement could have been written. */
export function isAboutRows(thrown: unknown, judging: Judging): boolean {
  const kind = failureKind(thrown, judging);
  return kind === "statement" || kind === "duplicate";
}

/** True when what was sent may have been committed although no answer said so. */
export function isOutcomeUnknown(thrown: unknown, { failures }: Judging): boolean {
  return failures.isOutcomeUnknown(thrown instanceof AppError ? thrown.cause : thrown);
}

/** Codes of sockets and files; those of the runtime begin with ERR. */
const SYSTEM_CODE = /^E(?!RR_)[A-Z_]+$/;

/** Of any driver: a socket, a file, a closed pool, Kysely after its end. `codes`: what the driver says besides. */
export function isConnectionFailure(thrown: unknown, codes: RegExp): boolean {
  const { code } = thrown as CodedError;
  if (typeof code === "string") return SYSTEM_CODE.test(code) || codes.test(code);
  return /clos(ed|ing)|connection|not open|destroyed/i.test(messageOf(thrown));
}

const BUSY = "the database is busy; try again shortly";
const AWAY = "the database cannot be reached; try again shortly";

/** The failure as callers may see it; what a statement was refused for is passed on unchanged. */
export function asAppError(
  thrown: unknown,
  { database, failures }: Judging & { readonly database: string },
): unknown {
  if (thrown instanceof AppError) return thrown;
  const kind = failures.kindOf(thrown);
  const why = messageOf(thrown) || String((thrown as CodedError).code);
  if (kind === "busy") {
    return unavailable(`${database} stayed busy: ${why}`, { cause: thrown, forCallers: BUSY });
  }
  if (kind === "away") {
    return unavailable(`${database} cannot answer: ${why}`, { cause: thrown, forCallers: AWAY });
  }
  if (kind === "configuration") {
    const hint = failures.isMissingTable(thrown) ? "; run `migrate`" : "";
    return new AppError("configuration", `${database} cannot be used: ${why}${hint}`, {
      cause: thrown,
    });
  }
  return thrown;
}

function unavailable(message: string, more: { cause: unknown; forCallers: string }): AppError {
  return new AppError("unavailable", message, { retryAfterS: 1, ...more });
}
