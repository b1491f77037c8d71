// Turns the raw bytes of a body into a JSON object, refusing everything two readers could understand differently.
import { type JSONVisitor, visit } from "jsonc-parser";
import { AppError, type FieldError, invalid } from "../core/errors.ts";
import { shapeOfText, shapeOfValue } from "../core/json-shape.ts";

const MAX_DEPTH = 64;
const JSON_TYPE = /^application\/(?:[\w.+-]+\+)?json$/;
/** What curl and PHP, and what fetch say of a body when nobody told them what it is. */
const DEFAULT_TYPES = new Set(["application/x-www-form-urlencoded", "text/plain"]);
const OPENING_BRACE = 0x7b;
const SPACES = new Set([0x20, 0x09, 0x0a, 0x0d]);
const CHARSET = /;\s*charset\s*=\s*"?([^";\s]*)/i;
const PLAIN_KEY = /^[A-Za-z_]\w{0,63}$/;

// The mark must stay visible, otherwise a signed body and the parsed one would differ in silence.
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** What is taken as a body, and the call that shows how it is done right. */
export interface BodyRules {
  readonly curl: string;
  /** A JSON object is taken too under a type that its sender never chose. */
  readonly anyType: boolean;
}

/**
 * Throws AppError `unsupported` unless the headers announce plain JSON in UTF-8. A missing content type is taken as
 * JSON.
 */
export function requireJson(headers: Headers, bytes: Uint8Array, rules: BodyRules): void {
  const encoding = headers.get("content-encoding") ?? "identity";
  const type = headers.get("content-type") ?? "application/json";
  const [mediaType = ""] = type.toLowerCase().split(";", 1);
  const charset = CHARSET.exec(type)?.[1] ?? "utf-8";
  if (encoding.toLowerCase() !== "identity") {
    throw new AppError("unsupported", `the body must not be compressed: ${rules.curl}`);
  }
  const isJson = JSON_TYPE.test(mediaType.trim()) || (rules.anyType && isUntold(mediaType, bytes));
  if (!isJson || !/^utf-?8$/i.test(charset)) {
    throw new AppError("unsupported", `the body must be JSON in UTF-8: ${rules.curl}`);
  }
}

/** A form never begins with a bracket: it would be written %7B. */
function isUntold(mediaType: string, bytes: Uint8Array): boolean {
  if (!DEFAULT_TYPES.has(mediaType.trim())) return false;
  return bytes.find((byte) => !SPACES.has(byte)) === OPENING_BRACE;
}

/** The JSON object in a body. Throws AppError `invalid` that shows `curl`. */
export function parseJsonBody(bytes: Uint8Array, curl: string): Readonly<Record<string, unknown>> {
  const text = decode(bytes);
  if (typeof text !== "string") throw malformed(text, curl);
  const value = parse(text);
  if (value.kind === "malformed") throw malformed(value.error, curl);
  if (typeof value.json !== "object" || value.json === null || Array.isArray(value.json)) {
    throw malformed(bodyError("must be a JSON object"), curl);
  }
  return value.json as Readonly<Record<string, unknown>>;
}

function decode(bytes: Uint8Array): string | FieldError {
  if (bytes.byteLength === 0) return bodyError("is empty");
  if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) {
    return bodyError("begins with a byte order mark");
  }
  try {
    return utf8.decode(bytes);
  } catch {
    return bodyError("is not valid UTF-8");
  }
}

type Parsed =
  | { readonly kind: "json"; readonly json: unknown }
  | { readonly kind: "malformed"; readonly error: FieldError };

// The native parser is many times faster than one that reports positions; only what it cannot take is looked at twice.
function parse(text: string): Parsed {
  const written = shapeOfText(text);
  if (written.depth > MAX_DEPTH) {
    return { kind: "malformed", error: bodyError(`nests deeper than ${MAX_DEPTH} levels`) };
  }
  try {
    const json: unknown = JSON.parse(text);
    if (shapeOfValue(json).keys === written.keys) return { kind: "json", json };
    return { kind: "malformed", error: findDuplicate(text) };
  } catch {
    return { kind: "malformed", error: findSyntaxError(text) };
  }
}

function findSyntaxError(text: string): FieldError {
  let place = "";
  const visitor: JSONVisitor = {
    onError: (_code, ...[, , line, column]) => {
      if (place === "") place = ` (line ${line + 1}, column ${column + 1})`;
    },
  };
  visit(text, visitor);
  return bodyError(`is not JSON${place}`);
}

function findDuplicate(text: string): FieldError {
  const open: Set<string>[] = [];
  let found: FieldError | undefined;
  const visitor: JSONVisitor = {
    onObjectBegin: () => {
      open.push(new Set());
    },
    onObjectEnd: () => {
      open.pop();
    },
    onObjectProperty: (key, ...[, , line, column, path]) => {
      const keys = open.at(-1);
      if (keys?.has(key)) found ??= duplicate([...path(), key], line, column);
      keys?.add(key);
    },
  };
  visit(text, visitor);
  return found ?? bodyError("repeats a key");
}

/** Names the key only when it is a plain word: input is not echoed. */
function duplicate(path: readonly (string | number)[], line: number, column: number): FieldError {
  const isPlain = path.every((key) => typeof key === "number" || PLAIN_KEY.test(key));
  const message = `is there twice (line ${line + 1}, column ${column + 1})`;
  return isPlain ? { field: path.join("."), message } : bodyError(`holds a key that ${message}`);
}

function bodyError(message: string): FieldError {
  return { field: "body", message };
}

function malformed(error: FieldError, curl: string): AppError {
  return invalid([error], `the body must be one JSON object in UTF-8: ${curl}`);
}
