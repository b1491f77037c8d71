// Reads the content of a task: which lane it needs, what it calls with what, and what makes two creates the same.
import { createHash } from "node:crypto";
import canonicalize from "canonicalize";
import { AppError } from "./errors.ts";
import { shapeOfText, shapeOfValue } from "./json-shape.ts";

export type JsonObject = Readonly<Record<string, unknown>>;

/** What a content with `class` asks for. */
export interface JobCall {
  /** The name or an alias of a job, as sent. */
  readonly className: string;
  /** `_params` or `params`; an empty object when there is neither. */
  readonly params: unknown;
}

export interface TaskContent {
  readonly value: JsonObject;
  /** Compact JSON, as the attempt gets it. */
  readonly text: string;
  /** Null: a callback. */
  readonly call: JobCall | null;
}

/** The parts of a create that decide whether a repetition is the same. */
export interface SameParts {
  readonly name: string;
  readonly content: JsonObject;
  readonly timeout: number;
  /** As sent. */
  readonly runtime?: number | string | undefined;
  /** As sent. */
  readonly retry?: object | undefined;
}

const MAX_CONTENT_BYTES = 256 * 1024;
const MAX_DEPTH = 64;
const MAX_CLASS_LENGTH = 255;

/** Reads content given as an object or as the same JSON in a string. Throws AppError `invalid`. */
export function readContent(content: unknown): TaskContent {
  const value = typeof content === "string" ? parseText(content) : content;
  if (!isObject(value)) throw invalidContent("must be a JSON object, or the same as a JSON string");
  if (shapeOfValue(value).depth > MAX_DEPTH) throw tooDeep();
  const text = JSON.stringify(value);
  if (Buffer.byteLength(text, "utf8") > MAX_CONTENT_BYTES) {
    throw invalidContent("must be at most 256 KiB as compact JSON");
  }
  return { value, text, call: readCall(value) };
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
  const given = _params === undefined ? params : _params;
  return { className, params: given === undefined ? {} : given };
}

function isClassName(value: unknown): value is string {
  if (typeof value !== "string" || value.trim() !== value) return false;
  return value.length >= 1 && value.length <= MAX_CLASS_LENGTH;
}

/** Lowercase hex SHA-256 over the RFC 8785 form of what makes two creates the same. Throws AppError `invalid`. */
export function contentDigest(parts: SameParts): string {
  const { name, content, timeout, runtime, retry } = parts;
  const text = canonicalText({
    name,
    content,
    timeout,
    ...(runtime !== undefined && { runtime }),
    ...(retry !== undefined && { retry }),
  });
  if (text === undefined) {
    throw invalidContent("must hold only finite numbers and well-formed Unicode");
  }
  return createHash("sha256").update(text, "utf8").digest("hex");
}

/** Undefined for what RFC 8785 cannot carry. */
function canonicalText(parts: JsonObject): string | undefined {
  try {
    return canonicalize(parts);
  } catch {
    return undefined;
  }
}

function tooDeep(): AppError {
  return invalidContent(`must nest at most ${MAX_DEPTH} levels deep`);
}

function invalidContent(message: string, field = "content"): AppError {
  return new AppError("invalid", `${field} ${message}`, { errors: [{ field, message }] });
}
