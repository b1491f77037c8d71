// Reads the content of a task: which lane it needs, what it calls with what, and how it travels.
import { type AppError, invalid } from "./errors.ts";
import { markMisfits, misfitsIn } from "./exact-json.ts";
import { shapeOfText, shapeOfValue } from "./json-shape.ts";
import { compactJson } from "./json-source.ts";
import { MOST_UNKNOWN, unknownField, warningOf } from "./unknown-field.ts";

export type JsonObject = Readonly<Record<string, unknown>>;

/** The original API's name of the params, or ours. */
export type ParamsField = "_params" | "params";

/** What a content with `class` asks for. */
export interface JobCall {
  /** The name or an alias of a job, as sent. */
  readonly className: string;
  /** Where the params were, for messages. */
  readonly field: ParamsField;
  /** `_params` or `params`; an empty object when there is neither. */
  readonly params: unknown;
}

export interface TaskContent {
  /** As doubles: numbers that do not fit are rounded. */
  readonly value: JsonObject;
  /** As it came, without white space between its tokens; a callback gets it byte for byte. */
  readonly text: string;
  /** As `value`, with marks for the numbers that no double keeps; undefined when there are none. */
  readonly marked: unknown;
  /** Null: a callback. */
  readonly call: JobCall | null;
}

/** An object without fields, however it was written. */
const EMPTY: TaskContent = { value: {}, text: "{}", marked: undefined, call: null };
/** What a content with `class` is read for. */
const READ = new Set(["class", "_params", "params"]);
const READ_PATHS = [...READ].map((name) => `content.${name}`);
const NO_WARNINGS: readonly string[] = [];
const MAX_CONTENT_BYTES = 256 * 1024;
const MAX_DEPTH = 64;
const MAX_CLASS_LENGTH = 255;
const MAX_ERRORS = 50;
const MAX_FIELD_LENGTH = 200;

/**
 * Reads content given as an object or as the same JSON in a string; `asSent` is the JSON text of the object as it came.
 * Throws AppError `invalid`.
 */
export function readContent(content: unknown, asSent?: string): TaskContent {
  const value = typeof content === "string" ? parseText(content) : content;
  if (isEmptyList(value)) return EMPTY;
  if (!isObject(value)) throw invalidContent("must be a JSON object, or the same as a JSON string");
  if (shapeOfValue(value).depth > MAX_DEPTH) throw tooDeep();
  const sent = typeof content === "string" ? content : (asSent ?? JSON.stringify(value));
  const text = compactJson(sent);
  const marked = markMisfits(text);
  // Escapes and zeros at an end do not count: as many bytes were taken before content travelled as it came.
  if (isLarge(text) && (marked !== undefined || isLarge(JSON.stringify(value)))) {
    throw invalidContent("must be at most 256 KiB as compact JSON");
  }
  return { value, text, marked, call: readCall(value) };
}

function isLarge(text: string): boolean {
  return Buffer.byteLength(text, "utf8") > MAX_CONTENT_BYTES;
}

function parseText(text: string): unknown {
  const written = shapeOfText(text);
  if (written.depth > MAX_DEPTH) throw tooDeep();
  const value = parseJson(text);
  if (value !== undefined && written.keys !== shapeOfValue(value).keys)
    throw invalidContent("must not repeat a key");
  return value;
}

/** Undefined for what is not JSON. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** What PHP writes for an empty object too. */
export function isEmptyList(value: unknown): boolean {
  return Array.isArray(value) && value.length === 0;
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** What a content calls; null when it has no `class`. Throws AppError `invalid`. */
export function readCall(content: JsonObject): JobCall | null {
  const className = content["class"];
  if (className === undefined) return null;
  if (!isClassName(className)) {
    const message = `must be a text of 1–${MAX_CLASS_LENGTH} characters without white space around it`;
    throw invalidContent(message, "content.class");
  }
  const { _params, params } = content;
  if (_params !== undefined && params !== undefined) {
    throw invalidContent("must not come together with _params: send one of them", "content.params");
  }
  const field = _params === undefined ? "params" : "_params";
  const given = content[field];
  return { className, field, params: given === undefined ? {} : given };
}

/** A warning for each field beside `class` that no job gets; none of a callback, whose content is its own. */
export function contentWarnings({ value, call }: TaskContent): readonly string[] {
  if (call === null || isAllRead(value)) return NO_WARNINGS;
  const place = { within: "content.", known: READ_PATHS, names: READ_PATHS };
  return Object.keys(value)
    .filter((name) => !READ.has(name))
    .slice(0, MOST_UNKNOWN)
    .map((name) => warningOf(unknownField(name, place)));
}

function isAllRead(value: JsonObject): boolean {
  // No list of keys is made: every create comes through here.
  for (const name in value) if (!READ.has(name)) return false;
  return true;
}

function isClassName(value: unknown): value is string {
  if (typeof value !== "string" || value.trim() !== value) return false;
  return value.length >= 1 && value.length <= MAX_CLASS_LENGTH;
}

/** Throws AppError `invalid` when a number in a job's params does not fit: job code would get another one. */
export function requireFittingParams({ call, marked }: TaskContent): void {
  if (call === null || marked === undefined) return;
  const errors = misfitsIn(marked)
    .filter(({ path: [first = ""] }) => first === "_params" || first === "params")
    .slice(0, MAX_ERRORS)
    .map(({ path, double }) => ({
      field: ["content", ...path].join(".").slice(0, MAX_FIELD_LENGTH),
      message: `is a number that a job would get as ${double}: send it as text`,
    }));
  if (errors.length > 0) throw invalid(errors);
}

function tooDeep(): AppError {
  return invalidContent(`must nest at most ${MAX_DEPTH} levels deep`);
}

function invalidContent(message: string, field = "content"): AppError {
  return invalid([{ field, message }]);
}
