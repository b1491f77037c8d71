// Reads the lines around the places of a stack, from the sources as they ran, never from a file that was edited since.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import type { Excerpt } from "../core/attempt.ts";
import { MASK, SECRET_KEY } from "../core/secret-keys.ts";
import type { Frame } from "../core/views/stack.ts";
import type { LoadedSource } from "../job/wire/prepared-source.ts";
import type { LocationTable } from "./locations.ts";

/** The innermost ones: further out the lines tell little. */
const MOST_FRAMES = 10;
/** Before the line and after it: five lines in all. */
const AROUND = 2;
const MOST_CHARACTERS = 240;
const QUOTED = /(["'`])(?:\\.|(?!\1)[^\\])*(?:\1|$)/g;

/** Places whose text is not known any more have none. */
export function readExcerpts(
  frames: readonly Frame[],
  find: (path: string) => LoadedSource | undefined,
): Excerpt[] {
  const texts = new Map<string, readonly string[] | null>();
  const linesOf = (path: string): readonly string[] | null => {
    const known = texts.get(path);
    if (known !== undefined) return known;
    const source = find(path);
    const lines = source === undefined ? null : readLines(source);
    texts.set(path, lines);
    return lines;
  };
  const places = new Map<string, Excerpt>();
  for (const { file, line } of frames.slice(0, MOST_FRAMES)) {
    const lines = linesOf(file);
    if (lines !== null) places.set(`${file}:${line}`, excerptAt({ file, line }, lines));
  }
  return [...places.values()];
}

function excerptAt({ file, line }: Pick<Excerpt, "file" | "line">, text: readonly string[]) {
  const first = Math.max(1, line - AROUND);
  const lines = text.slice(first - 1, line + AROUND).map(shownLine);
  return { file, line, first, lines };
}

/** A secret written into a source is not shown: on a line that names one, nothing in quotes is. */
function shownLine(line: string): string {
  const shown = SECRET_KEY.test(line) ? line.replace(QUOTED, `$1${MASK}$1`) : line;
  return shown.slice(0, MOST_CHARACTERS).toWellFormed();
}

/** Null when the file is another one by now and no copy is left. */
function readLines(source: LoadedSource): readonly string[] | null {
  return readUnchanged(source) ?? readCopy(source);
}

function readUnchanged({ path, hash }: LoadedSource): readonly string[] | null {
  try {
    const bytes = readFileSync(path);
    return hashOf(bytes) === hash ? splitLines(bytes.toString("utf8")) : null;
  } catch {
    return null;
  }
}

/** The copy without what was inserted: never a newline, so each line is put back on its own. */
function readCopy({ copy }: LoadedSource): readonly string[] | null {
  if (copy === undefined) return null;
  try {
    const { shifts } = JSON.parse(readFileSync(`${copy}.json`, "utf8")) as LocationTable;
    const lines = splitLines(readFileSync(copy, "utf8"));
    for (const [line, column, length] of shifts) {
      const text = lines[line - 1] ?? "";
      lines[line - 1] = text.slice(0, column - 1) + text.slice(column - 1 + length);
    }
    return lines;
  } catch {
    return null;
  }
}

/** By which a source is known again. */
export function hashOf(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

function splitLines(text: string): string[] {
  return text.split(/\r\n|[\n\r\u2028\u2029]/);
}
