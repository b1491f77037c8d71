// What is wrong with a job file that cannot be imported, and where, in the words of either engine.
import { readFileSync } from "node:fs";
import { dirname } from "node:path";
import { errorData } from "../wire/error-data.ts";
import { placeAt, placeInStack, type SourcePlace } from "../wire/place.ts";
import { property, textOf } from "../wire/read-thrown.ts";

export interface FileProblem {
  readonly message: string;
  readonly place?: SourcePlace | undefined;
}

/** Colours, which Deno writes into messages. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: the escape character begins each of them
const COLOURS = /\u001b\[[\d;]*m/g;
const BUN_SYNTAX_ERROR = "BuildMessage";

/** Of what an import of `file` threw. */
export function importProblem(thrown: unknown, file: string): FileProblem {
  const errors = property(thrown, "errors");
  const all = Array.isArray(errors) && errors.length > 0 ? (errors as unknown[]) : [thrown];
  const [first] = all;
  const { name, message, stack = "" } = errorData(first);
  const plain = message.replace(COLOURS, "").trimEnd();
  const told = placeAt(plain);
  const more = all.length > 1 ? `, and ${all.length - 1} more of these` : "";
  const text = shortened(name, told === undefined ? plain : withoutPlace(plain)) + more;
  if (told !== undefined) return { message: text, place: { ...told, isAsWritten: true } };
  const place =
    positionOf(first) ?? placeInStack(stack, dirname(file)) ?? placeOfImport(first, plain, file);
  return { message: text, place };
}

/** Without the lines of source that Deno draws below, and with the name that both engines know. */
function shortened(name: string, message: string): string {
  const [line = ""] = message.split("\n", 1);
  if (line.startsWith("SyntaxError: ")) return line;
  return `${name === BUN_SYNTAX_ERROR ? "SyntaxError" : name}: ${line}`;
}

/** Where a word of a job's definition is in its file: behind `defineJob(`, else the definition itself. */
export function placeOfField(file: string, field: string | undefined): SourcePlace | undefined {
  const source = read(file);
  const start = Math.max(
    0,
    source.search(/\bdefineJob\s*\(/),
    source.search(/\bexport\s+default\b/),
  );
  const at = field === undefined ? -1 : source.slice(start).search(new RegExp(`\\b${field}\\b`));
  return placeOfIndex(file, source, at < 0 ? start : start + at);
}

/** Messages of Deno end with ` at PLACE`. */
function withoutPlace(message: string): string {
  return message.slice(0, message.lastIndexOf("at file:")).trimEnd();
}

/** Bun's own, of what it could not build. */
function positionOf(thrown: unknown): SourcePlace | undefined {
  const position = property(thrown, "position");
  const file = textOf(position, "file");
  const line = property(position, "line");
  const column = property(position, "column");
  if (file === undefined || typeof line !== "number" || typeof column !== "number") return;
  return { file, line, column, isAsWritten: false };
}

/** Bun tells no place for an import that finds nothing: the file that imports it is looked through. */
function placeOfImport(thrown: unknown, message: string, file: string): SourcePlace | undefined {
  const importer = textOf(thrown, "referrer") ?? file;
  const [, exported] = /^Export named '([^']+)' not found/.exec(message) ?? [];
  const wanted = textOf(thrown, "specifier") ?? exported;
  if (wanted === undefined) return;
  const source = read(importer);
  const word = wanted.replace(/[.*+?^${}()|[\]\\/]/g, "\\$&");
  const edge = exported === undefined ? `["']${word}["']` : `\\b${word}\\b`;
  const at = source.search(new RegExp(edge));
  return at < 0 ? undefined : placeOfIndex(importer, source, at);
}

function placeOfIndex(file: string, source: string, index: number): SourcePlace | undefined {
  if (source === "") return;
  const before = source.slice(0, index).split("\n");
  const column = (before.at(-1)?.length ?? 0) + 1;
  return { file, line: before.length, column, isAsWritten: true };
}

function read(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}
