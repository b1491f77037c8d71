// Reads one HTTP/1.1 answer from the bytes of a connection: strictly, and within limits.
import { chunkSize, type Framing, framingOf, MOST_HEAD_BYTES, parseHead } from "./answer-head.ts";
import { BadAnswer } from "./bad-answer.ts";
import type { AnswerHead } from "./verdict.ts";

export interface AnswerListener {
  onHead(head: AnswerHead): void;
  onBody(chunk: Buffer): void;
  /** The answer is here as a whole. */
  onEnd(): void;
}

export interface AnswerReader {
  /** Throws BadAnswer; after that nothing more may be given to it. */
  read(chunk: Buffer): void;
  /** The receiver sends no more: this ends a body that has no length. */
  finish(): void;
  /** False until its first byte is here. */
  hasBegun(): boolean;
  /** The answer is whole, nothing follows it, and the receiver waits for another request. */
  canBeKept(): boolean;
}

type State = "head" | "body" | "chunk-size" | "chunk-end" | "trailer" | "done";

/** What a line with the size of a chunk needs; what is longer counts as part of the head. */
const PLAIN_SIZE_LINE = 18;

export function createAnswerReader(listener: AnswerListener): AnswerReader {
  const unread = createUnread();
  let state: State = "head";
  let framing: Framing = { kind: "none", isPersistent: false };
  /** Of the body, or of the chunk. */
  let remaining = 0;
  let headBytes = 0;
  let hasBegun = false;

  function step(): boolean {
    switch (state) {
      case "head":
        return readHead();
      case "body":
        return readBody();
      case "chunk-size":
        return readChunkSize();
      case "chunk-end":
        return readChunkEnd();
      case "trailer":
        return readTrailer();
      case "done":
        return false;
    }
  }

  function readHead(): boolean {
    // Said at once: what does not begin like this may never send the end of a head.
    if (!unread.beginsLike("HTTP/1."))
      throw new BadAnswer("not_http", "did not answer in HTTP/1.1");
    const text = takeUntil("\r\n\r\n");
    if (text === null) return false;
    charge(text.length);
    const head = parseHead(text);
    // Interim answers, such as 100 and 103; 101 is final: we never asked to switch.
    if (head.status < 200 && head.status !== 101) return true;
    framing = framingOf(head);
    listener.onHead(head);
    begin(framing);
    return true;
  }

  function begin({ kind, length = 0 }: Framing): void {
    if (kind === "none" || (kind === "length" && length === 0)) {
      end();
      return;
    }
    remaining = kind === "length" ? length : Number.POSITIVE_INFINITY;
    state = kind === "chunked" ? "chunk-size" : "body";
  }

  function readBody(): boolean {
    if (unread.isEmpty()) return false;
    const chunk = unread.take(remaining);
    remaining -= chunk.byteLength;
    listener.onBody(chunk);
    if (remaining > 0) return true;
    if (framing.kind === "chunked") state = "chunk-end";
    else end();
    return true;
  }

  function readChunkSize(): boolean {
    const line = takeUntil("\r\n");
    if (line === null) return false;
    charge(Math.max(0, line.length - PLAIN_SIZE_LINE));
    remaining = chunkSize(line);
    state = remaining === 0 ? "trailer" : "body";
    return true;
  }

  function readChunkEnd(): boolean {
    const line = takeUntil("\r\n");
    if (line === null) return false;
    if (line !== "") throw new BadAnswer("not_http", "a chunk is longer than its size");
    state = "chunk-size";
    return true;
  }

  function readTrailer(): boolean {
    const line = takeUntil("\r\n");
    if (line === null) return false;
    charge(line.length);
    if (line === "") end();
    return true;
  }

  function end(): void {
    state = "done";
    listener.onEnd();
  }

  /** What waits for its end counts as well: a head may not grow without one. */
  function takeUntil(mark: string): string | null {
    const text = unread.takeUntil(mark);
    if (text === null && headBytes + unread.size() > MOST_HEAD_BYTES) tooLarge();
    return text;
  }

  function charge(bytes: number): void {
    headBytes += bytes;
    if (headBytes > MOST_HEAD_BYTES) tooLarge();
  }

  return {
    read: (chunk) => {
      hasBegun = true;
      unread.add(chunk);
      while (step());
    },
    finish: () => {
      if (state === "body" && framing.kind === "until-close") end();
    },
    hasBegun: () => hasBegun,
    canBeKept: () => state === "done" && unread.isEmpty() && framing.isPersistent,
  };
}

function tooLarge(): never {
  throw new BadAnswer("response_too_large", "answered a head of more than 64 KiB");
}

/** Bytes that wait for the rest; grows by doubling, so that a receiver that sends single bytes costs nobody more. */
function createUnread() {
  let bytes: Buffer = Buffer.alloc(0);
  let start = 0;
  let end = 0;
  let isOwn = false;
  /** So much of what is unread holds no mark; forgotten whenever something is taken. */
  let searched = 0;

  function add(chunk: Buffer): void {
    if (start === end) {
      [bytes, start, end, isOwn, searched] = [chunk, 0, chunk.byteLength, false, 0];
      return;
    }
    if (!isOwn || end + chunk.byteLength > bytes.byteLength) grow(chunk.byteLength);
    chunk.copy(bytes, end);
    end += chunk.byteLength;
  }

  function grow(more: number): void {
    const bigger = Buffer.allocUnsafe(2 * (end - start + more));
    bytes.copy(bigger, 0, start, end);
    [bytes, start, end, isOwn] = [bigger, 0, end - start, true];
  }

  function takeUntil(mark: string): string | null {
    const filled = end === bytes.byteLength ? bytes : bytes.subarray(0, end);
    const at = filled.indexOf(mark, start + Math.max(0, searched - mark.length + 1), "latin1");
    searched = at < 0 ? end - start : 0;
    if (at < 0) return null;
    const text = bytes.toString("latin1", start, at);
    start = at + mark.length;
    return text;
  }

  function take(most: number): Buffer {
    const to = Math.min(end, start + most);
    const taken = bytes.subarray(start, to);
    start = to;
    searched = 0;
    return taken;
  }

  /** As far as it is here. */
  function beginsLike(text: string): boolean {
    const size = Math.min(end - start, text.length);
    return bytes.toString("latin1", start, start + size) === text.slice(0, size);
  }

  return {
    add,
    take,
    beginsLike,
    takeUntil,
    size: () => end - start,
    isEmpty: () => start === end,
  };
}
