// Cuts JSON text without parsing it, for what has to travel as it came. The text must be known to be JSON.
import { endOfString, stepOf } from "./json-shape.ts";

const QUOTE = 0x22;
const COMMA = 0x2c;
const MINUS = 0x2d;

/** The text without white space between its tokens. */
export function compactJson(text: string): string {
  let compact = "";
  let from = 0;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) at = endOfString(text, at);
    if (!isSpace(code)) continue;
    compact += text.slice(from, at);
    from = at + 1;
  }
  return compact + text.slice(from);
}

function isSpace(code: number): boolean {
  return code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09;
}

/** Its numbers, as they are written. */
export function* numbersOf(text: string): Generator<string> {
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) at = endOfString(text, at);
    if (code !== MINUS && !isDigit(code)) continue;
    const start = at;
    while (at + 1 < text.length && !isEnd(text.charCodeAt(at + 1))) at += 1;
    yield text.slice(start, at + 1);
  }
}

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39;
}

/** What may stand behind a number. */
function isEnd(code: number): boolean {
  return code === COMMA || stepOf(code) === -1 || isSpace(code);
}

/** The text of the value of `key` in the text of an object; undefined without one. */
export function memberText(text: string, key: string): string | undefined {
  let start = text.indexOf('"');
  while (start !== -1) {
    const end = endOfString(text, start);
    const from = text.indexOf(":", end) + 1;
    const to = endOfValue(text, from);
    if (JSON.parse(text.slice(start, end + 1)) === key) return text.slice(from, to);
    start = text.indexOf('"', to);
  }
  return undefined;
}

/** Where the comma or bracket is that ends the value which begins at `from`. */
function endOfValue(text: string, from: number): number {
  let depth = 0;
  for (let at = from; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) at = endOfString(text, at);
    depth += stepOf(code);
    if (depth < 0 || (depth === 0 && code === COMMA)) return at;
  }
  return text.length;
}
