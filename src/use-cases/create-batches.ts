// Gathers creates that arrive together into few statements: no timer, while one batch is written the next collects.

import { AppError } from "../core/errors.ts";
import { failpoint } from "../core/failpoints.ts";
import { createSameDeadline } from "../core/same-deadline.ts";
import { asUnavailable } from "../core/store-answer.ts";
import type { NewTask } from "../core/task.ts";
import type { CreateResult } from "../store/store.ts";

/** A task on its way into the store. */
export interface Submission {
  readonly task: NewTask;
  /** When it is due, on this process's monotonic clock. */
  readonly dueAtMs: number;
}

/** A submission and what became of it. */
export interface Stored {
  readonly submission: Submission;
  readonly result: CreateResult;
}

export interface CreateBatchesOptions {
  readonly create: (tasks: readonly NewTask[]) => Promise<CreateResult[]>;
  /** Told once per batch, right after the commit. */
  readonly onStored: (stored: readonly Stored[]) => void;
  /** Told once per batch that failed as a whole. */
  readonly onFailed: (thrown: unknown, count: number) => void;
  /** False: one statement per task. */
  readonly coalesce: boolean;
  /** How long each may wait for its commit; absent: as long as the store takes. */
  readonly deadlineMs?: number | undefined;
}

export interface CreateBatches {
  /** Resolves after commit. Throws AppError `unavailable` when too much waits, at the deadline, or when the store fails. */
  add(submission: Submission): Promise<CreateResult>;
  /** Settles when nothing waits or is being written. */
  flush(): Promise<void>;
}

interface Waiting {
  readonly submission: Submission;
  readonly promise: Promise<CreateResult>;
  readonly resolve: (result: CreateResult) => void;
  readonly reject: (thrown: unknown) => void;
  /** Was told that its time is up: what still waits for its statement does so for nobody. */
  isLate: boolean;
}

const MAX_BATCH_ROWS = 500;
const MAX_BATCH_CHARACTERS = 1024 * 1024;
/**
 * Two, so that a statement that waits for a row does not hold up everybody. It is not for speed: with 1 to 4 MariaDB
 * showed no difference beyond noise (64 and 256 callers on 2 busy cores), and SQLite was best with one or two.
 */
const MAX_IN_FLIGHT = 2;
const MAX_WAITING = 10_000;
const MAX_WAITING_CHARACTERS = 64 * 1024 * 1024;

export function createBatches(options: CreateBatchesOptions): CreateBatches {
  const limits = options.coalesce
    ? { rows: MAX_BATCH_ROWS, inFlight: MAX_IN_FLIGHT }
    : { rows: 1, inFlight: Number.POSITIVE_INFINITY };
  const { deadlineMs } = options;
  const beginWait = deadlineMs === undefined ? undefined : createSameDeadline(deadlineMs);
  const inFlight = new Set<Promise<void>>();
  let waiting: Waiting[] = [];
  let waitingCharacters = 0;
  let isScheduled = false;
  let isLeaving = false;

  function add(submission: Submission): Promise<CreateResult> {
    if (waiting.length >= MAX_WAITING || waitingCharacters >= MAX_WAITING_CHARACTERS) {
      return Promise.reject(tooManyWaiting());
    }
    const entry = newEntry(submission);
    waiting.push(entry);
    waitingCharacters += sizeOf(submission);
    schedule();
    return entry.promise;
  }

  /** Settles as its statement does, or rejects at the deadline; what is written then is not known. */
  function newEntry(submission: Submission): Waiting {
    const { promise, resolve, reject } = Promise.withResolvers<CreateResult>();
    const endWait = beginWait?.(() => {
      giveUp(entry);
      reject(tooLate(deadlineMs));
    });
    const entry: Waiting = {
      submission,
      promise,
      resolve: (result) => {
        endWait?.();
        resolve(result);
      },
      reject: (thrown) => {
        endWait?.();
        reject(thrown);
      },
      isLate: false,
    };
    return entry;
  }

  /** All whose time is up in one turn of the event loop leave the line together. */
  function giveUp(entry: Waiting): void {
    entry.isLate = true;
    if (isLeaving) return;
    isLeaving = true;
    setImmediate(() => {
      isLeaving = false;
      waiting = waiting.filter(({ isLate }) => !isLate);
      waitingCharacters = waiting.reduce((sum, { submission }) => sum + sizeOf(submission), 0);
    });
  }

  /** One turn of the event loop lets the rest of a burst join. */
  function schedule(): void {
    if (isScheduled || waiting.length === 0 || inFlight.size >= limits.inFlight) return;
    isScheduled = true;
    setImmediate(() => {
      isScheduled = false;
      start();
    });
  }

  function start(): void {
    while (waiting.length > 0 && inFlight.size < limits.inFlight) {
      const batch = waiting.slice(0, rowsOfNextBatch(waiting, limits.rows));
      waiting = waiting.slice(batch.length);
      waitingCharacters -= batch.reduce((sum, { submission }) => sum + sizeOf(submission), 0);
      const written: Promise<void> = write(options, batch).finally(() => {
        inFlight.delete(written);
        start();
      });
      inFlight.add(written);
    }
  }

  async function flush(): Promise<void> {
    while (waiting.length > 0 || inFlight.size > 0) {
      start();
      await Promise.all(inFlight);
    }
  }

  return { add, flush };
}

function tooLate(deadlineMs: number | undefined): AppError {
  const message = `the database has not stored the task within ${deadlineMs} ms`;
  return new AppError("unavailable", message, { retryAfterS: 1 });
}

/** Writes one batch and tells everybody in it; never rejects. */
async function write(options: CreateBatchesOptions, batch: readonly Waiting[]): Promise<void> {
  try {
    const results = await options.create(batch.map(({ submission }) => submission.task));
    failpoint("insert-committed");
    const stored = batch.map(({ submission }, at) => ({
      submission,
      result: resultAt(results, at),
    }));
    options.onStored(stored);
    for (const [at, { resolve }] of batch.entries()) resolve(resultAt(results, at));
  } catch (thrown) {
    options.onFailed(thrown, batch.length);
    for (const { reject } of batch) reject(asUnavailable(thrown));
  }
}

function resultAt(results: readonly CreateResult[], at: number): CreateResult {
  const result = results[at];
  if (result === undefined) throw new TypeError(`the store answered only ${at} of its creates`);
  return result;
}

function rowsOfNextBatch(waiting: readonly Waiting[], maxRows: number): number {
  let rows = 0;
  let characters = 0;
  for (const { submission } of waiting) {
    characters += sizeOf(submission);
    if (rows === maxRows || (rows > 0 && characters > MAX_BATCH_CHARACTERS)) return rows;
    rows += 1;
  }
  return rows;
}

function sizeOf(submission: Submission): number {
  return submission.task.content.length;
}

function tooManyWaiting(): AppError {
  const message = "more tasks are waiting to be stored than fit; try again shortly";
  return new AppError("unavailable", message, { retryAfterS: 1 });
}
