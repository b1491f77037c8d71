// What a caller sends to create a task, read and checked field by field.
import type { RetryInput } from "./retry-policy.ts";

/** The lengths and characters of its texts and the range of `timeout` are checked before. */
export interface SubmitInput {
  readonly taskNo: string;
  readonly name: string;
  /** An object, or the same as JSON text. */
  readonly content: unknown;
  /** The JSON text of `content` as it came; absent: what `JSON.stringify` makes of it. */
  readonly contentText?: string;
  /** Ms. */
  readonly timeout: number;
  /** Any form `readMoment` knows; absent: now. */
  readonly runtime?: number | string;
  /** What it leaves out comes from the job, else from the application. */
  readonly retry?: RetryInput;
}
