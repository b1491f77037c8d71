// Measures JSON without trusting it: how deep it nests and how many keys it writes.

export interface JsonShape {
  /** 0 for a lone text, number or word; each array or object inside another adds one. */
  readonly depth: number;
  /** Keys as written, duplicates included. */
  readonly keys: number;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COLON = 0x3a;

/** The shape of a JSON text, in one pass without recursion, so that no nesting can exhaust the stack. */
export function shapeOfText(text: string): JsonShape {
  let depth = 0;
  let deepest = 0;
  let keys = 0;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) at = endOfString(text, at);
    if (code === COLON) keys += 1;
    depth += stepOf(code);
    deepest = Math.max(deepest, depth);
  }
  return { depth: deepest, keys };
}

/** +1 for what opens an array or object, -1 for what closes it. */
export function stepOf(code: number): number {
  if (code === 0x5b || code === 0x7b) return 1;
  return code === 0x5d || code === 0x7d ? -1 : 0;
}

/** Where the quote is that ends the string whose first quote is at `start`. */
export function endOfString(text: string, start: number): number {
  let at = start + 1;
  while (at < text.length && text.charCodeAt(at) !== QUOTE) {
    at += text.charCodeAt(at) === BACKSLASH ? 2 : 1;
  }
  return at;
}

/** The shape of a parsed value, without recursion. */
export function shapeOfValue(value: unknown): JsonShape {
  const open: { value: unknown; depth: number }[] = [{ value, depth: 0 }];
  let deepest = 0;
  let keys = 0;
  for (let item = open.pop(); item !== undefined; item = open.pop()) {
    if (typeof item.value !== "object" || item.value === null) continue;
    const depth = item.depth + 1;
    deepest = Math.max(deepest, depth);
    if (!Array.isArray(item.value)) keys += Object.keys(item.value).length;
    for (const child of Object.values(item.value) as unknown[]) open.push({ value: child, depth });
  }
  return { depth: deepest, keys };
}
