// JSON whose numbers keep their decimal value: finds those that a double would change, and shows them as they came.
import { randomUUID } from "node:crypto";
import { numbersOf } from "./json-source.ts";

declare global {
  interface JSON {
    /** `source` is the text of a text, number or word; TypeScript's own types do not know it yet. */
    parse(
      text: string,
      reviver: (key: string, value: unknown, context: { readonly source?: string }) => unknown,
    ): unknown;
    /** An object that `stringify` prints as this text. */
    rawJSON(text: string): object;
    isRawJSON(value: unknown): value is { readonly rawJSON: string };
  }
}

/** A number that does not fit: the shortest text of its double has another decimal value. */
export interface Misfit {
  readonly path: readonly string[];
  /** What code would get instead. */
  readonly double: number;
}

/** Numbers without are shorter than 16 digits and have no exponent: doubles keep all of those. */
const SUSPECT = /[\d.]{16}|\d[eE]/;
/** At most 15 digits and a small power: also kept by every double. */
const PLAIN = /^-?[\d.]{1,15}(?:[eE][+-]?(?:\d\d?|[12][0-7]\d))?$/;
const NUMBER = /^-?(\d+)(?:\.(\d+))?(?:[eE]([+-]?)0*(\d+))?$/;
const MAX_EXPONENT_DIGITS = 15;
/** Begins the text that stands for a number; nobody can send it. */
const MARK = randomUUID();
const MARKED = new RegExp(`"${MARK}([^"]*)"`, "g");

/** As `JSON.parse`, but `JSON.stringify` prints every number of what it returns as it came. */
export function parseExact(text: string): unknown {
  try {
    return JSON.parse(text, (_key, value, { source = "" }) =>
      typeof value === "number" && source !== String(value) ? JSON.rawJSON(source) : value,
    );
  } catch (thrown) {
    // A reviver calls itself: what nests thousands of levels deep is parsed by the engine alone.
    if (thrown instanceof RangeError) return JSON.parse(text) as unknown;
    throw thrown;
  }
}

/**
 * As `JSON.parse`, with a mark in the place of each number that does not fit; undefined when all fit. The text nests at
 * most some hundred levels.
 */
export function markMisfits(text: string): unknown {
  // A reviver takes five times as long as parsing does: only for what needs it.
  if (!SUSPECT.test(text) || numbersOf(text).every(fits)) return undefined;
  return JSON.parse(text, (_key, value, { source = "" }) =>
    typeof value === "number" && !fits(source) ? MARK + decimalOf(source) : value,
  );
}

/** Writes decimal numbers, each in its one form, for the marks in a JSON text. */
export function unmarked(text: string): string {
  return text.replaceAll(MARKED, "$1");
}

/** The numbers that are marked in what `markMisfits` answered. */
export function misfitsIn(marked: unknown): readonly Misfit[] {
  const found: Misfit[] = [];
  const open: { value: unknown; path: readonly string[] }[] = [{ value: marked, path: [] }];
  for (let item = open.pop(); item !== undefined; item = open.pop()) {
    const { value, path } = item;
    const isMark = typeof value === "string" && value.startsWith(MARK);
    if (isMark) found.push({ path, double: Number(value.slice(MARK.length)) });
    if (typeof value !== "object" || value === null) continue;
    for (const [key, child] of Object.entries(value))
      open.push({ value: child, path: [...path, key] });
  }
  return found.reverse();
}

function fits(source: string): boolean {
  if (PLAIN.test(source)) return true;
  const shortest = String(Number(source));
  return source === shortest || decimalOf(source) === decimalOf(shortest);
}

/** One text for all ways to write a decimal number: its digits as a whole number, and a power of ten. */
function decimalOf(number: string): string {
  const [, whole, fraction = "", sign = "", power = "0"] = NUMBER.exec(number) ?? [];
  // A double's "Infinity", or a power that nothing can be computed with: equal only to the same text.
  if (whole === undefined || power.length > MAX_EXPONENT_DIGITS) return number.toLowerCase();
  const digits = (whole + fraction).replace(/^0+/, "");
  let end = digits.length;
  while (digits[end - 1] === "0") end -= 1;
  if (end === 0) return "0";
  const exponent = Number(sign + power) - fraction.length + (digits.length - end);
  return `${number.startsWith("-") ? "-" : ""}${digits.slice(0, end)}e${exponent}`;
}
