// Reads questions and answers out of what came over a wire, and answers a question whatever happens.
import { messageOf } from "../core/errors.ts";
import type { LiveAnswer, LiveQuestion } from "../core/live.ts";
import type { Logger } from "../core/logger.ts";
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
  const { kind, taskId, fence, graceMs } = fieldsOf(value) ?? {};
  if (kind !== "inspect" && kind !== "cancel") return undefined;
  if (!Number.isSafeInteger(taskId) || !Number.isSafeInteger(fence)) return undefined;
  const question = { kind, taskId: Number(taskId), fence: Number(fence) } as const;
  return Number.isSafeInteger(graceMs) ? { ...question, graceMs: Number(graceMs) } : question;
}

/** The answer in `value`, or undefined when it is none. */
export function readAnswer(value: unknown): LiveAnswer | undefined {
  const fields = fieldsOf(value);
  const isAnswer =
    fields?.["kind"] === "unknown" ||
    (fields?.["kind"] === "view" && fieldsOf(fields["view"]) !== undefined) ||
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
    const fields = { task_id: question.taskId, error: messageOf(error) };
    logger?.error(fields, "a live question could not be answered");
    return { kind: "unknown" };
  }
}
