// Reads questions and answers out of what came over a wire, and answers a question whatever happens.
import { messageOf } from "../core/errors.ts";
import type { LiveAnswer, LiveQuestion } from "../core/live.ts";
import type { Logger } from "../core/logger.ts";
import type { TraceEvent } from "../core/views/trace-event.ts";
import type { AnswerLive } from "./bus.ts";

/** What an object from a wire holds, each to be checked. */
export type Fields = Readonly<Record<string, unknown>>;

/** Undefined when it is no object. */
export function fieldsOf(value: unknown): Fields | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  return value as Fields;
}

/** The question in `value`, or undefined when it is none. */
export function readQuestion(value: unknown): LiveQuestion | undefined {
  const { kind, taskId, fence, afterSeq, graceMs } = fieldsOf(value) ?? {};
  if (kind === "hosts") return { kind };
  if (kind !== "inspect" && kind !== "cancel" && kind !== "watch") return undefined;
  if (!Number.isSafeInteger(taskId) || !Number.isSafeInteger(fence)) return undefined;
  return {
    kind,
    taskId: Number(taskId),
    fence: Number(fence),
    ...(Number.isSafeInteger(afterSeq) && { afterSeq: Number(afterSeq) }),
    ...(Number.isSafeInteger(graceMs) && { graceMs: Number(graceMs) }),
  };
}

/** The events in `value`, without what is none. */
export function readEventList(value: unknown): TraceEvent[] {
  return Array.isArray(value) ? value.filter(isEvent) : [];
}

function isEvent(value: unknown): value is TraceEvent {
  const { seq, type } = fieldsOf(value) ?? {};
  return Number.isSafeInteger(seq) && typeof type === "string";
}

/** The answer in `value`, or undefined when it is none. */
export function readAnswer(value: unknown): LiveAnswer | undefined {
  const fields = fieldsOf(value);
  const isAnswer =
    fields?.["kind"] === "unknown" ||
    fields?.["kind"] === "watched" ||
    (fields?.["kind"] === "view" && fieldsOf(fields["view"]) !== undefined) ||
    (fields?.["kind"] === "hosts" && Array.isArray(fields["hosts"])) ||
    (fields?.["kind"] === "receipt" && fieldsOf(fields["receipt"]) !== undefined);
  return isAnswer ? (value as LiveAnswer) : undefined;
}

/** Never rejects: an error is logged and answered as `unknown`. */
export async function answerSafely(
  answer: AnswerLive,
  question: LiveQuestion,
  logger: Logger | undefined,
): Promise<LiveAnswer> {
  try {
    return await answer(question);
  } catch (error) {
    const fields = { question, error: messageOf(error) };
    logger?.error(fields, "a live question could not be answered");
    return { kind: "unknown" };
  }
}
