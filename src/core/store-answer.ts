// Turns a store that cannot answer into the one refusal callers may retry.
import { AppError } from "./errors.ts";

const RETRY_AFTER_S = 1;

/**
 * Asks the store. A failure becomes AppError `unavailable` with the failure as its cause;
 * an AppError, and what can only be a defect of ours, is passed on as it is.
 */
export async function askStore<T>(ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (thrown) {
    throw asUnavailable(thrown);
  }
}

/** What a failure of the store is to a caller. */
export function asUnavailable(thrown: unknown): unknown {
  if (thrown instanceof AppError || isDefect(thrown)) return thrown;
  return new AppError("unavailable", "the database cannot be reached; try again shortly", {
    retryAfterS: RETRY_AFTER_S,
    cause: thrown,
  });
}

function isDefect(thrown: unknown): boolean {
  return (
    thrown instanceof TypeError ||
    thrown instanceof ReferenceError ||
    thrown instanceof RangeError ||
    thrown instanceof SyntaxError
  );
}
