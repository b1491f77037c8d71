// What `run` gets as its second argument, as types; the job worker makes it.

/** Data of a log line. Values under keys like `password` or `token` are masked. */
export type JobLogFields = Readonly<Record<string, unknown>>;

/**
 * Writes to the attempt's trace. A line is cut at 4 KiB; an attempt keeps its last 1,000 events, and says which are
 * missing. `console.log` and its like do the same.
 *
 * @example
 * ```ts
 * ctx.log("invoice sent", { invoice: 81 });
 * ctx.log.warn("the mail server is slow");
 * ```
 */
export interface JobLog {
  /** The same as `log.info`. */
  (message: string, fields?: JobLogFields): void;
  debug(message: string, fields?: JobLogFields): void;
  info(message: string, fields?: JobLogFields): void;
  warn(message: string, fields?: JobLogFields): void;
  error(message: string, fields?: JobLogFields): void;
}

/**
 * One attempt of a task, as its job sees it.
 *
 * After the attempt has ended, however it ended, nothing here does anything any more: calls are dropped, and what
 * they would return never settles.
 */
export interface JobContext {
  /** Id of the task; the same for all its attempts: a good key for "did I do this already?". */
  readonly taskId: number;
  /** The task's number as the application chose it. */
  readonly taskNo: string;
  /** Number of this attempt in the task's present life, from 1; lost and interrupted attempts count too. */
  readonly attempt: number;
  /** How many attempts may fail, time out or crash before the task has failed: 1 + the retries. */
  readonly maxAttempts: number;
  /** When the code is terminated: epoch milliseconds. */
  readonly deadline: number;
  /**
   * Fires before the deadline (the smaller of 1 s and a tenth of the timeout), so that a job can stop in order; what
   * it returns until the deadline still counts as success. Also fires at a cancel, but then nothing waits.
   *
   * @example
   * ```ts
   * for (const row of rows) {
   *   if (ctx.signal.aborted) return { done, more: true };
   *   await send(row);
   * }
   * ```
   */
  readonly signal: AbortSignal;
  /** Writes to the attempt's trace. */
  readonly log: JobLog;

  /**
   * Says how far the job is.
   *
   * @param percent 0–100; anything outside is moved to the nearest end.
   * @param text What it is doing, at most 200 characters.
   * @example
   * ```ts
   * ctx.progress(40, "reading invoices");
   * ```
   */
  progress(percent: number, text?: string): void;

  /**
   * Shows these variables, as they are now, to callers that look at the running task; also while the job spins right
   * after. Replaces what was shown before.
   *
   * Each value is cut at 4 KiB, all of them at 64 KiB. Values are masked, at any depth, where the key contains
   * `password`, `secret`, `token`, `authorization` or `cookie`.
   *
   * @example
   * ```ts
   * ctx.watch({ page, pages, last: row.id });
   * ```
   */
  watch(vars: Readonly<Record<string, unknown>>): void;

  /**
   * Runs `work` as a named step of the trace, with its duration. Steps may be nested. It changes nothing else: an
   * error of `work` goes on to the caller, and a retry runs every step again.
   *
   * @returns What `work` returns.
   * @example
   * ```ts
   * const invoices = await ctx.step("load", () => loadInvoices(month));
   * ```
   */
  step<T>(name: string, work: () => T | Promise<T>): Promise<T>;

  /**
   * Waits. Rejects with `ctx.signal.reason` when the signal fires.
   *
   * @param ms Milliseconds.
   * @example
   * ```ts
   * await ctx.sleep(1_000);
   * ```
   */
  sleep(ms: number): Promise<void>;

  /**
   * `fetch` that ends with the attempt: the signal aborts it, and the trace shows method, host, status and duration
   * (never path, headers or body).
   *
   * @example
   * ```ts
   * const answer = await ctx.fetch("https://api.example.com/rates");
   * ```
   */
  fetch(input: string | URL | Request, init?: RequestInit): Promise<Response>;
}
