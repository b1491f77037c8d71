// Turns whatever was thrown into data of bounded size, by hand: posting an error loses its cause and its code.
import type { AttemptError } from "../core/attempt.ts";
import { FINAL_MARK } from "../sdk/errors.ts";
import { isInBundle } from "./bundle.ts";

const MAX_MESSAGE = 4_096;
const MAX_STACK = 16_384;
const MAX_CAUSES = 5;
/** Frames of ours and of Deno's inside tell a job's author nothing. */
const HIDDEN_PLACES = [`${import.meta.dirname}/`, "ext:deno_", "ext:core/"];

/** Never throws, whatever the thrown thing does in its getters. */
export function errorData(thrown: unknown): AttemptError {
  const error = {
    name: cut(read(thrown, "name") ?? "Error", 200),
    message: cut(messageText(thrown), MAX_MESSAGE),
    stack: cut(stackWithCauses(thrown), MAX_STACK),
  };
  const code = read(thrown, "code");
  const reason = code !== undefined && /^[\w.-]{1,64}$/.test(code) ? { reason: code } : {};
  return { ...error, ...reason, ...(isFinal(thrown) ? { final: true } : {}) };
}

/** An error of the platform about a job, with the word by which programs know it. */
export function platformError(reason: string, message: string, final = false): AttemptError {
  const error = { name: "JobError", message: cut(message, MAX_MESSAGE), reason };
  return final ? { ...error, final } : error;
}

/** Cuts a text, and says that it did. */
export function cut(text: string, length: number): string {
  if (text.length <= length) return text;
  const mark = `… (cut, ${text.length} characters)`;
  return text.slice(0, Math.max(0, length - mark.length)) + mark;
}

function messageText(thrown: unknown): string {
  return read(thrown, "message") ?? `thrown: ${describe(thrown)}`;
}

/** The stack, and under it those of the causes. */
function stackWithCauses(thrown: unknown): string {
  const stacks: string[] = [];
  let error: unknown = thrown;
  for (let depth = 0; depth <= MAX_CAUSES && error !== undefined && error !== null; depth++) {
    stacks.push(withoutHiddenFrames(cut(read(error, "stack") ?? describe(error), MAX_STACK)));
    error = property(error, "cause");
  }
  return stacks.join("\nCaused by: ");
}

function isFinal(thrown: unknown): boolean {
  return typeof thrown === "object" && thrown !== null && FINAL_MARK in thrown;
}

function withoutHiddenFrames(stack: string): string {
  return stack
    .split("\n")
    .filter((line) => !(isInBundle(line) || HIDDEN_PLACES.some((place) => line.includes(place))))
    .join("\n");
}

function read(from: unknown, key: string): string | undefined {
  const value = property(from, key);
  return typeof value === "string" && value !== "" ? value : undefined;
}

function property(from: unknown, key: string): unknown {
  if (typeof from !== "object" || from === null) return;
  try {
    return (from as Record<string, unknown>)[key];
  } catch {
    return;
  }
}

function describe(thrown: unknown): string {
  try {
    return String(thrown);
  } catch {
    return typeof thrown;
  }
}
