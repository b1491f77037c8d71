// Reads the head of an HTTP/1.1 answer, and from it how long the body is. What could be read in two ways is refused.
import { BadAnswer } from "./bad-answer.ts";
import type { AnswerHead } from "./verdict.ts";

/** Of everything that is not the body. */
export const MOST_HEAD_BYTES = 64 * 1024;

export interface ParsedHead extends AnswerHead {
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** Of HTTP/1.x. */
  readonly minor: number;
}

export interface Framing {
  readonly kind: "none" | "length" | "chunked" | "until-close";
  readonly length?: number;
  /** The receiver waits for another request after this answer. */
  readonly isPersistent: boolean;
}

/** A whole head without its last line end, long headers unfolded. */
const HEAD =
  /^HTTP\/1\.[01] [1-9]\d\d(?: [^\0\n\r]*)?(?:\r\n[!#$%&'*+\-.^_`|~\dA-Za-z]+:[^\0\n\r]*)*$/;
const MINOR_AT = "HTTP/1.".length;
const STATUS_AT = "HTTP/1.1 ".length;
const MOST_KEPT_LENGTH = 4_096;
const LENGTH = /^\d{1,15}$/;
const CHUNK_SIZE = /^([\dA-Fa-f]{1,12})[ \t]*(?:;[^\0\n\r]*)?$/;

/** Of what is answered within one second, dates included, most is the same text: the last one is kept. */
let last: { readonly text: string; readonly head: ParsedHead } | undefined;

/** @param text without the empty line that ends it. Throws BadAnswer. */
export function parseHead(text: string): ParsedHead {
  if (last?.text === text) return last.head;
  const head = parse(text);
  if (text.length <= MOST_KEPT_LENGTH) last = { text, head };
  return head;
}

function parse(text: string): ParsedHead {
  const unfolded = /\r\n[ \t]/.test(text) ? text.replace(/\r\n[ \t]+/g, " ") : text;
  if (!HEAD.test(unfolded)) throw new BadAnswer("not_http", "did not answer in HTTP/1.1");
  return {
    status: Number(unfolded.slice(STATUS_AT, STATUS_AT + 3)),
    minor: Number(unfolded.charAt(MINOR_AT)),
    headers: headersOf(unfolded),
  };
}

function headersOf(head: string): Record<string, string> {
  // Without a prototype: a receiver may name a header as it likes.
  const headers = Object.create(null) as Record<string, string>;
  for (const line of head.split("\r\n").slice(1)) {
    const colon = line.indexOf(":");
    const name = line.slice(0, colon).toLowerCase();
    const value = line.slice(colon + 1).trim();
    const before = headers[name];
    headers[name] = before === undefined ? value : `${before}, ${value}`;
  }
  return headers;
}

/** Throws BadAnswer when the length of the body cannot be told. */
export function framingOf({ status, minor, headers }: ParsedHead): Framing {
  const connection = (headers["connection"] ?? "").toLowerCase();
  const isPersistent =
    minor === 1 ? !/\bclose\b/.test(connection) : /\bkeep-alive\b/.test(connection);
  if (status === 101) return { kind: "none", isPersistent: false };
  if (status === 204 || status === 304) return { kind: "none", isPersistent };
  const { "transfer-encoding": coding, "content-length": length } = headers;
  if (coding !== undefined) return codedFraming(coding, length, isPersistent);
  if (length === undefined) return { kind: "until-close", isPersistent: false };
  if (!LENGTH.test(length)) throw new BadAnswer("not_http", "answered a malformed content-length");
  return { kind: "length", length: Number(length), isPersistent };
}

function codedFraming(coding: string, length: string | undefined, isPersistent: boolean): Framing {
  if (length !== undefined) throw new BadAnswer("not_http", "answered two lengths of its body");
  if (/(^|,)[ \t]*chunked$/i.test(coding)) return { kind: "chunked", isPersistent };
  return { kind: "until-close", isPersistent: false };
}

/** Throws BadAnswer. */
export function chunkSize(line: string): number {
  const [, size] = CHUNK_SIZE.exec(line) ?? [];
  if (size === undefined) throw new BadAnswer("not_http", "answered a malformed chunk");
  return Number.parseInt(size, 16);
}
