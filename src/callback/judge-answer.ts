// Listens to the answer of one delivery until its verdict is known.
import type { SuccessMatch } from "../core/task.ts";
import { type AnswerReader, createAnswerReader } from "./answer-reader.ts";
import type { DeliveryNotes } from "./delivery-notes.ts";
import { failure, failureOf } from "./failures.ts";
import {
  type AnswerHead,
  judgeBody,
  judgeHead,
  MOST_ANSWER_BYTES,
  type Verdict,
} from "./verdict.ts";
import { wholeOf } from "./whole-of.ts";

export interface Judging {
  readonly host: string;
  readonly match: SuccessMatch;
  readonly notes: DeliveryNotes;
  /** Epoch ms; dates in answers are compared with it. */
  readonly nowMs: () => number;
  /** Only the first one counts. */
  readonly conclude: (judged: Verdict) => void;
}

/** One answer, as its bytes come in. */
export interface JudgedAnswer extends Pick<AnswerReader, "finish" | "hasBegun" | "canBeKept"> {
  read(chunk: Buffer): void;
  /** The connection is closed: a receiver that was about to say why it failed says no more. */
  stop(): void;
}

/** How long a receiver that failed already may take to say why, for the log. */
const EXPLAIN_MS = 250;

export function judgeAnswer({ host, match, notes, nowMs, conclude }: Judging): JudgedAnswer {
  const chunks: Buffer[] = [];
  let bytes = 0;
  let head: AnswerHead | null = null;
  /** Decided by the head alone; what the receiver says about it is only for the log. */
  let wrong: Verdict | null = null;
  let explaining: ReturnType<typeof setTimeout> | undefined;

  function onHead(answered: AnswerHead): void {
    head = answered;
    notes.note("answered");
    notes.answered(answered);
    wrong = judgeHead(answered, host, nowMs());
    if (wrong !== null) explaining = setTimeout(explained, EXPLAIN_MS);
  }

  function onBody(chunk: Buffer): void {
    notes.heard(chunk);
    bytes += chunk.byteLength;
    if (wrong !== null) {
      if (notes.isFull()) explained();
      return;
    }
    if (bytes > MOST_ANSWER_BYTES) conclude({ error: tooLarge(host) });
    else chunks.push(chunk);
  }

  function onEnd(): void {
    explained();
    if (wrong === null && head !== null)
      conclude(judgeBody(head, wholeOf(chunks), { host, match }));
  }

  function explained(): void {
    clearTimeout(explaining);
    if (wrong !== null) conclude(wrong);
  }

  const reader = createAnswerReader({ onHead, onBody, onEnd });
  return {
    finish: reader.finish,
    hasBegun: reader.hasBegun,
    canBeKept: reader.canBeKept,
    read: (chunk) => {
      try {
        reader.read(chunk);
      } catch (thrown) {
        conclude({ error: failureOf(thrown, host) });
      }
    },
    stop: explained,
  };
}

function tooLarge(host: string) {
  return failure("response_too_large", `${host} answered more than 64 KiB`);
}
