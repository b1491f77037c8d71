// The fields of requests as TypeBox schemas: they check the input, explain themselves and become the document.
import { Kind, type TProperties, type TSchema, Type, TypeRegistry } from "@sinclair/typebox";

/** The rule of a field in words; it completes "must be …" and stands in the document as `x-rule`. */
const RULE = "x-rule";

interface TextOptions {
  readonly min: number;
  readonly max: number;
  readonly description: string;
  readonly example: string;
}

const MAX_TIMEOUT_MS = 86_400_000;
const MAX_INT32 = 2 ** 31 - 1;
// Control characters do not survive every database; white space at an end makes equal what is not (PAD SPACE).
const NAME_PATTERN =
  "^[^\\s\\u0000-\\u001f\\u007f](?:[^\\u0000-\\u001f\\u007f]*[^\\s\\u0000-\\u001f\\u007f])?$";
/** The outer shape of what `core/timestamps` reads in full. */
const MOMENT_PATTERN = "^(?:\\d{1,15}|\\d{4}-\\d{2}-\\d{2}(?:[ Tt]\\d{2}:\\d{2}[^\\s]*)?)$";
const nameRule = new RegExp(NAME_PATTERN, "u");

TypeRegistry.Set<{ minLength: number; maxLength: number; pattern?: string }>(
  "Text",
  (schema, value) => typeof value === "string" && isText(schema, value),
);
TypeRegistry.Set<{ maxLength: number }>(
  "HttpUrl",
  (schema, value) => typeof value === "string" && isHttpUrl(value, schema.maxLength),
);
TypeRegistry.Set<{ enum: readonly unknown[] }>("Choice", (schema, value) =>
  schema.enum.includes(value),
);
TypeRegistry.Set("Content", (_schema, value) => isContent(value));

function isText(
  schema: { readonly minLength: number; readonly maxLength: number; readonly pattern?: string },
  value: string,
): boolean {
  const length = codePointsIn(value);
  if (length < schema.minLength || length > schema.maxLength) return false;
  if (!value.isWellFormed() || value.includes("\u0000")) return false;
  return schema.pattern === undefined || nameRule.test(value);
}

/** As the database and JSON Schema count: a character outside the basic plane is one. */
function codePointsIn(text: string): number {
  let length = 0;
  for (const _ of text) length += 1;
  return length;
}

function isHttpUrl(value: string, maxLength: number): boolean {
  if (value.length > maxLength || !/^https?:\/\/[^\s]+$/i.test(value)) return false;
  return URL.canParse(value);
}

/** PHP writes an empty array for an empty object; `core` reads it as one. */
function isContent(value: unknown): boolean {
  if (Array.isArray(value)) return value.length === 0;
  return typeof value === "object" && value !== null;
}

/** A name: no control characters, no white space at its ends. */
export function name(options: TextOptions) {
  const rule = `text of ${options.min} to ${options.max} characters, without control characters or white space at its ends`;
  return textSchema(options, { pattern: NAME_PATTERN, [RULE]: rule });
}

/** Free text. */
export function text(options: TextOptions) {
  const rule = `text of ${options.min} to ${options.max} characters`;
  return textSchema(options, { [RULE]: rule });
}

function textSchema(options: TextOptions, more: Readonly<Record<string, string>>) {
  const { min, max, ...documented } = options;
  const bounds = { minLength: min, maxLength: max };
  return Type.Unsafe<string>({ [Kind]: "Text", type: "string", ...bounds, ...more, ...documented });
}

/** A whole number within bounds. */
export function whole(options: {
  readonly min: number;
  readonly max: number;
  readonly description: string;
  readonly example?: number;
  readonly default?: number;
}) {
  const { min, max, ...documented } = options;
  const rule = `a whole number from ${min} to ${max}`;
  const format = max > MAX_INT32 ? { format: "int64" } : {};
  return Type.Integer({ ...format, minimum: min, maximum: max, [RULE]: rule, ...documented });
}

/** True or false. */
export function flag(options: { readonly description: string; readonly default?: boolean }) {
  return Type.Boolean({ [RULE]: "true or false", ...options });
}

/** One of a few words. */
export function choice<const T extends string>(options: {
  readonly of: readonly T[];
  readonly description: string;
  readonly default?: NoInfer<T>;
}) {
  const { of: values, ...documented } = options;
  const rule = `one of ${values.join(", ")}`;
  return Type.Unsafe<T>({
    [Kind]: "Choice",
    type: "string",
    enum: values,
    [RULE]: rule,
    ...documented,
  });
}

/** An http or https address. */
export function httpUrl(options: { readonly description: string; readonly example: string }) {
  return Type.Unsafe<string>({
    [Kind]: "HttpUrl",
    type: "string",
    format: "uri",
    pattern: "^[Hh][Tt][Tt][Pp][Ss]?://[^\\s]+$",
    maxLength: 2048,
    [RULE]: "an http:// or https:// address of at most 2048 characters",
    ...options,
  });
}

/** An object of fields, each with a rule of its own. */
export function objectOf<T extends TProperties>(
  fields: T,
  options: { readonly description: string; readonly example: unknown },
) {
  return Type.Object(fields, { [RULE]: "an object", ...options });
}

/** A JSON object, or the same as JSON text; `shapes` are what the document says it may be. */
export function content(
  shapes: readonly TSchema[],
  options: { readonly description: string; readonly example: unknown },
) {
  const object = Type.Unsafe<object>({ [Kind]: "Content", anyOf: shapes });
  return Type.Union([object, Type.String()], {
    [RULE]: "a JSON object, or the same as JSON text",
    ...options,
  });
}

/** A moment: a number or text, read by `core`. */
export function moment(options: { readonly description: string; readonly example: string }) {
  const text = Type.String({ maxLength: 64, pattern: MOMENT_PATTERN });
  return Type.Union([Type.Integer({ format: "int64", minimum: 0 }), text], {
    [RULE]:
      "epoch seconds or milliseconds, YYYY-MM-DD HH:mm:ss, YYYY-MM-DD, or ISO 8601 with an offset",
    ...options,
  });
}

/** Milliseconds an attempt may take. */
export function timeoutMs() {
  const description =
    "Milliseconds one attempt may take; then it is terminated. Above the job's own timeout that one counts, with a line in `data.warnings`.";
  return whole({ min: 1, max: MAX_TIMEOUT_MS, description, example: 60_000 });
}

/** The id of a task. */
export function taskId() {
  return whole({
    min: 1,
    max: Number.MAX_SAFE_INTEGER,
    description: "Id of the task.",
    example: 81,
  });
}

/** What the caller named the task. */
export function taskNo() {
  return name({
    min: 1,
    max: 128,
    description: "The caller's own number of the task, unique within the application.",
    example: "taskNo82",
  });
}

/** The rule of a schema in words. */
export function ruleOf(schema: TSchema): string {
  return String(schema[RULE] ?? "valid");
}
