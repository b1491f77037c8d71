// Says an ECMAScript pattern (flag u) in the syntax of RE2, exactly or not at all.

/** Null where RE2 has no word for it: what looks around or back, modifiers, properties it does not know. */
export function re2Syntax(pattern: string): string | null {
  try {
    // What is no pattern at all is the author's mistake, in the runtime's words.
    new RegExp(pattern, "u");
    return readAll({ points: Array.from(pattern), at: 0 });
  } catch (thrown) {
    if (thrown instanceof Inexpressible) return null;
    throw thrown;
  }
}

class Inexpressible extends Error {}

interface Reader {
  /** Code points. */
  readonly points: readonly string[];
  at: number;
}

/** White space and line ends as ECMAScript has them; RE2's \s knows ASCII only. */
const SPACE =
  "\\x{9}-\\x{d}\\x{20}\\x{a0}\\x{1680}\\x{2000}-\\x{200a}\\x{2028}\\x{2029}\\x{202f}\\x{205f}\\x{3000}\\x{feff}";
const NOT_SPACE =
  "\\x{0}-\\x{8}\\x{e}-\\x{1f}\\x{21}-\\x{9f}\\x{a1}-\\x{167f}\\x{1681}-\\x{1fff}\\x{200b}-\\x{2027}\\x{202a}-\\x{202e}\\x{2030}-\\x{205e}\\x{2060}-\\x{2fff}\\x{3001}-\\x{fefe}\\x{ff00}-\\x{10ffff}";
/** What stands for many characters, as the inside of a class. */
const SETS: Readonly<Record<string, string>> = {
  d: "0-9",
  D: "\\x{0}-\\x{2f}\\x{3a}-\\x{10ffff}",
  w: "0-9A-Z_a-z",
  W: "\\x{0}-\\x{2f}\\x{3a}-\\x{40}\\x{5b}-\\x{5e}\\x{60}\\x{7b}-\\x{10ffff}",
  s: SPACE,
  S: NOT_SPACE,
};
const CONTROLS: Readonly<Record<string, number>> = { t: 9, n: 10, v: 11, f: 12, r: 13, "0": 0 };
/** As they are in both: repetition, alternatives, the end of a group. */
const SAME = new Set(["*", "+", "?", "|", ")"]);
/** General categories; C and Cn count what is not assigned, which RE2 does not. */
const CATEGORY = /^(?:C[cfos]|L[lmotu]?|M[cen]?|N[dlo]?|P[cdefios]?|S[ckmo]?|Z[lps]?)$/;

function readAll(reader: Reader): string {
  const parts: string[] = [];
  while (reader.at < reader.points.length) parts.push(readTerm(reader));
  return parts.join("");
}

function readTerm(reader: Reader): string {
  const point = next(reader);
  if (SAME.has(point)) return point;
  switch (point) {
    case "^":
      return "\\A";
    case "$":
      return "\\z";
    case ".":
      return "[^\\x{a}\\x{d}\\x{2028}\\x{2029}]";
    case "(":
      return readGroup(reader);
    case "[":
      return readClass(reader);
    case "{":
      return readCount(reader);
    case "\\":
      return readEscape(reader);
    default:
      return literal(point);
  }
}

/** Which group it is does not matter: all that is asked is whether there is a match. */
function readGroup(reader: Reader): string {
  if (reader.points[reader.at] !== "?") return "(?:";
  const kind = reader.points.slice(reader.at + 1, reader.at + 3).join("");
  if (kind.startsWith(":")) {
    reader.at += 2;
    return "(?:";
  }
  if (!kind.startsWith("<") || kind === "<=" || kind === "<!") throw new Inexpressible();
  while (next(reader) !== ">");
  return "(?:";
}

function readCount(reader: Reader): string {
  let text = "{";
  while (!text.endsWith("}")) text += next(reader);
  return text;
}

function readEscape(reader: Reader): string {
  const point = next(reader);
  if (point === "b" || point === "B") return `\\${point}`;
  const set = readSet(reader, point);
  return set === undefined ? literal(readCharacter(reader, point)) : `[${set}]`;
}

function readClass(reader: Reader): string {
  const isNegated = reader.points[reader.at] === "^";
  if (isNegated) reader.at += 1;
  const parts: string[] = [];
  while (reader.points[reader.at] !== "]") parts.push(readRange(reader));
  reader.at += 1;
  if (parts.length > 0) return `[${isNegated ? "^" : ""}${parts.join("")}]`;
  return isNegated ? "[\\x{0}-\\x{10ffff}]" : "[^\\x{0}-\\x{10ffff}]";
}

function readRange(reader: Reader): string {
  const first = readMember(reader);
  const isRange = reader.points[reader.at] === "-" && reader.points[reader.at + 1] !== "]";
  if (!isRange || first.kind === "set") return first.text;
  reader.at += 1;
  return `${first.text}-${readMember(reader).text}`;
}

interface Member {
  readonly kind: "character" | "set";
  readonly text: string;
}

function readMember(reader: Reader): Member {
  const point = next(reader);
  if (point !== "\\") return { kind: "character", text: literal(point) };
  const mark = next(reader);
  if (mark === "b") return { kind: "character", text: "\\x{8}" };
  const set = readSet(reader, mark);
  if (set !== undefined) return { kind: "set", text: set };
  return { kind: "character", text: literal(readCharacter(reader, mark)) };
}

function readSet(reader: Reader, mark: string): string | undefined {
  if (mark === "p" || mark === "P") return readProperty(reader, mark);
  return SETS[mark];
}

function readProperty(reader: Reader, mark: string): string {
  next(reader);
  let name = "";
  for (let point = next(reader); point !== "}"; point = next(reader)) name += point;
  const category = name.replace(/^(?:gc|General_Category)=/, "");
  if (!CATEGORY.test(category)) throw new Inexpressible();
  return `\\${mark}{${category}}`;
}

function readCharacter(reader: Reader, mark: string): string {
  const control = CONTROLS[mark];
  if (control !== undefined) return String.fromCharCode(control);
  if (/[1-9k]/.test(mark)) throw new Inexpressible();
  if (mark === "c") return String.fromCharCode((next(reader).codePointAt(0) ?? 0) % 32);
  if (mark === "x") return String.fromCharCode(readHex(reader, 2));
  if (mark === "u") return readUnicode(reader);
  return mark;
}

function readUnicode(reader: Reader): string {
  if (reader.points[reader.at] === "{") {
    const end = reader.points.indexOf("}", reader.at);
    const code = Number.parseInt(reader.points.slice(reader.at + 1, end).join(""), 16);
    reader.at = end + 1;
    return String.fromCodePoint(code);
  }
  const first = String.fromCharCode(readHex(reader, 4));
  const follows = reader.points.slice(reader.at, reader.at + 6).join("");
  // Two halves of one character, each written as an escape, are that character.
  if (!/^[\ud800-\udbff]$/.test(first) || !/^\\u[dD][c-fC-F]/.test(follows)) return first;
  reader.at += 2;
  return first + String.fromCharCode(readHex(reader, 4));
}

function readHex(reader: Reader, digits: number): number {
  const text = reader.points.slice(reader.at, reader.at + digits).join("");
  reader.at += digits;
  return Number.parseInt(text, 16);
}

function literal(point: string): string {
  return /^[0-9A-Za-z]$/.test(point) ? point : `\\x{${(point.codePointAt(0) ?? 0).toString(16)}}`;
}

function next(reader: Reader): string {
  const point = reader.points[reader.at];
  if (point === undefined) throw new Inexpressible();
  reader.at += 1;
  return point;
}
