// The errors by which a job says more than "it failed".

/** By this mark the platform knows the error, whichever copy of this module made it. */
export const FINAL_MARK: unique symbol = Symbol.for("serendipity-job.final");

/**
 * Thrown by `run`, it fails the task at once: no further attempt, however many retries are left.
 *
 * Use it when trying again cannot help: the account is closed, the file does not exist, the params make no sense.
 *
 * @example
 * ```ts
 * if (account.isClosed) throw new NonRetryableError(`account ${account.id} is closed`);
 * ```
 * @example Keep the error behind it; both are shown.
 * ```ts
 * throw new NonRetryableError("the template does not parse", { cause: error });
 * ```
 */
export class NonRetryableError extends Error {
  override readonly name = "NonRetryableError";
  /** @internal */
  readonly [FINAL_MARK] = true;
}
