// Replaces halves of characters by U+FFFD: no UTF-8 has them, and many readers refuse a JSON text that escapes one.

// Taken before any job is imported: jobs may patch theirs as they like.
const { apply } = Reflect as {
  readonly apply: <T>(method: unknown, self: unknown, given: readonly unknown[]) => T;
};
const { toWellFormed, includes } = String.prototype;
const replaceMatches = RegExp.prototype[Symbol.replace];

/** Every escape, so that none begins in the middle of another; two that are halves of one character are one. */
const ESCAPES =
  /\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\(?:u[dD][89a-fA-F][0-9a-fA-F]{2}|.)/g;
const HALF_LENGTH = "\\ud83d".length;

export function wellFormed(text: string): string {
  return apply(toWellFormed, text, []);
}

/** The same of JSON text: JSON.stringify escapes halves, in texts and in keys. */
export function wellFormedJson(json: string): string {
  const hasSome = apply(includes, json, ["\\ud"]) || apply(includes, json, ["\\uD"]);
  if (!hasSome) return json;
  // Text that was made elsewhere (JSON.rawJSON) may hold whole characters as two escapes.
  const whole = (found: string) => (found.length === HALF_LENGTH ? "\ufffd" : found);
  return apply(replaceMatches, ESCAPES, [json, whole]);
}
