// Judges an answer: whether it is a success, whether it may be asked again, and how soon.
import type { AttemptError } from "../core/attempt.ts";
import type { SuccessMatch } from "../core/task.ts";
import { failure } from "./failures.ts";
import { retryAfterMs } from "./retry-after.ts";

export const MOST_ANSWER_BYTES = 64 * 1024;

/** What became of a delivery. */
export interface Verdict {
  /** Null: the receiver took it. */
  readonly error: AttemptError | null;
  /** The delay that the receiver asked for (Retry-After), in ms. */
  readonly retryAfterMs?: number;
}

/** The head of an answer. */
export interface AnswerHead {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

/** What the head alone decides; null when the body is needed. */
export function judgeHead(head: AnswerHead, host: string, nowMs: number): Verdict | null {
  const error = wrongStatus(head.status, host) ?? wrongEncoding(head, host);
  return error === null ? null : withWishes(error, head, nowMs);
}

/** The body of a 2xx that is here as a whole. */
export function judgeBody(
  head: AnswerHead,
  body: Buffer,
  { host, match }: { readonly host: string; readonly match: SuccessMatch },
): Verdict {
  if (match === "2xx" || isSuccess(body)) return { error: null };
  const said = `${host} answered ${head.status} with ${body.byteLength} bytes`;
  const wayOut = 'an application with successMatch "2xx" takes every 2xx';
  const error = failure("body_not_success", `${said} that are not the word success; ${wayOut}`);
  return withWishes(error, head, 0);
}

function wrongStatus(status: number, host: string): AttemptError | null {
  if (status >= 200 && status < 300) return null;
  if (status >= 300 && status < 400) {
    const error = failure("redirect", `${host} answered ${status}; redirects are never followed`);
    return { ...error, status };
  }
  return { ...failure("status_not_2xx", `${host} answered ${status}`), status };
}

/** We asked for none: a few bytes could unfold into any number. */
function wrongEncoding({ headers }: AnswerHead, host: string): AttemptError | null {
  const { "content-encoding": content, "transfer-encoding": transfer } = headers;
  const isPlain = content === undefined || /^\s*(identity)?\s*$/i.test(String(content));
  if (isPlain && (transfer === undefined || /^\s*chunked\s*$/i.test(String(transfer)))) return null;
  return failure("body_compressed", `${host} compressed its answer although identity was asked`);
}

/** A receiver may forbid further attempts, or say when the next one is welcome. */
function withWishes(error: AttemptError, { status, headers }: AnswerHead, nowMs: number): Verdict {
  const wish = String(headers["webhook-delivery"] ?? "");
  if (status === 410 || wish.trim().toLowerCase() === "abort-message") {
    return { error: { ...error, final: true } };
  }
  if (status !== 429 && status !== 503) return { error };
  const waitMs = retryAfterMs(headers["retry-after"]?.toString(), nowMs);
  return waitMs === undefined ? { error } : { error, retryAfterMs: waitMs };
}

const WORD = Buffer.from("success");
const BOM = Buffer.from("\ufeff");

/** The word alone, but for ASCII white space around it and one byte order mark. */
function isSuccess(body: Buffer): boolean {
  const text = trimmed(body);
  const bare = text.subarray(0, BOM.length).equals(BOM) ? trimmed(text.subarray(BOM.length)) : text;
  return bare.equals(WORD);
}

function trimmed(bytes: Buffer): Buffer {
  let start = 0;
  let end = bytes.length;
  while (start < end && isSpace(bytes[start])) start += 1;
  while (end > start && isSpace(bytes[end - 1])) end -= 1;
  return bytes.subarray(start, end);
}

function isSpace(byte: number | undefined): boolean {
  return byte === 0x20 || (byte !== undefined && byte >= 0x09 && byte <= 0x0d);
}
