// Bounds a text that leaves a job worker, and makes it one that every reader of UTF-8 and JSON can read.
import { wellFormed } from "../../core/well-formed.ts";

/** Cuts a text, between whole characters, and says that it did. Half characters become U+FFFD. */
export function cut(text: string, length: number): string {
  if (text.length <= length) return wellFormed(text);
  const mark = `… (cut, ${text.length} characters)`;
  const end = Math.max(0, length - mark.length);
  const isHalf = end > 0 && /[\uD800-\uDBFF]/.test(text.charAt(end - 1));
  return wellFormed(text.slice(0, isHalf ? end - 1 : end)) + mark;
}
