// Reads Retry-After: how long a receiver wants to be left alone.

const MOST_MS = 86_400_000;

/** The three forms of a date in HTTP; anything else is no date, whatever a lenient parser makes of it. */
const DATES = [
  /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/,
  /^[A-Z][a-z]{5,8}, \d{2}-[A-Z][a-z]{2}-\d{2} \d{2}:\d{2}:\d{2} GMT$/,
  /^[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d{2}:\d{2}:\d{2} \d{4}$/,
];

/** Ms from now, at most a day; undefined for what is malformed, negative or past. */
export function retryAfterMs(text: string | undefined, nowMs: number): number | undefined {
  const value = text?.trim() ?? "";
  const waitMs = /^\d+$/.test(value) ? Number(value) * 1000 : dateOf(value) - nowMs;
  return waitMs > 0 ? Math.min(waitMs, MOST_MS) : undefined;
}

/** NaN when it is no date. */
function dateOf(text: string): number {
  if (!DATES.some((pattern) => pattern.test(text))) return Number.NaN;
  return Date.parse(text.endsWith("GMT") ? text : `${text} GMT`);
}
