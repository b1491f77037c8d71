// A form: the fields one route takes, checked from a JSON body or a query, every wrong one named at once.
import type { Static, TObject, TSchema } from "@sinclair/typebox";
import { TypeCompiler } from "@sinclair/typebox/compiler";
import { Value } from "@sinclair/typebox/value";
import { type FieldError, invalid } from "../core/errors.ts";
import { errorOf, type UnknownField, warningOf } from "../core/unknown-field.ts";
import { parseJsonBody, requireJson } from "./json-body.ts";
import {
  digitsAsNumber,
  isFields,
  isObjectSchema,
  type LooseFields,
  loosened,
} from "./loose-values.ts";
import { ruleOf } from "./schemas.ts";
import { createUnknownFinder } from "./unknown-fields.ts";

/** What was read, and what its sender should know about it. */
export interface FormReading<T> {
  readonly input: T;
  /** One for each field that nobody knows. */
  readonly warnings: readonly string[];
}

/** Reads input into its type. Both throw AppError `invalid` with all wrong fields. */
export interface Form<T> {
  /** Throws AppError `unsupported` besides. */
  fromBody(headers: Headers, bytes: Uint8Array): FormReading<T>;
  fromQuery(query: URLSearchParams): FormReading<T>;
}

const NO_WARNINGS: readonly string[] = [];

/**
 * Whose callers it is for. `seed`: those of the original API, which took JSON whatever the content type said, and "5"
 * for 5. `typed`: theirs too, where only the content type keeps a web page from sending it. `exact`: those of `/api/v1`.
 * Fields that nobody knows are refused there, and warned of elsewhere.
 */
export type Manner = "seed" | "typed" | "exact";

/** `curl` is the call that is shown to a caller whose body is no JSON. */
export function createForm<T extends TObject>(
  schema: T,
  curl: string,
  manner: Manner,
): Form<Static<T>> {
  const compiled = TypeCompiler.Compile(schema);
  const rules = { curl, anyType: manner === "seed" };
  const isExact = manner === "exact";
  const findUnknown = createUnknownFinder(schema);

  function read(fields: LooseFields): FormReading<Static<T>> {
    const input = check(fields);
    const unknown = findUnknown(fields);
    if (unknown.length === 0) return { input, warnings: NO_WARNINGS };
    if (isExact) throw invalid(unknown.map(errorOf));
    return { input, warnings: unknown.map(warningOf) };
  }

  function check(fields: LooseFields): Static<T> {
    if (compiled.Check(fields)) return fields;
    // Only what does not fit is read twice: nearly every body does.
    const loose = isExact ? fields : loosened(schema, fields);
    if (compiled.Check(loose)) return loose;
    const unknown = findUnknown(fields);
    const wrong = wrongFields(schema, loose).map((error) => withMisspelt(error, unknown));
    throw invalid(isExact ? [...wrong, ...unknown.map(errorOf)] : wrong);
  }

  return {
    fromBody: (headers, bytes) => {
      requireJson(headers, bytes, rules);
      return read(parseJsonBody(bytes, curl));
    },
    fromQuery: (query) => read(queryFields(schema, query)),
  };
}

/** A form that goes on with what another one reads. */
export function mapForm<T, U>(form: Form<T>, map: (input: T) => U): Form<U> {
  const mapped = ({ input, warnings }: FormReading<T>) => ({ input: map(input), warnings });
  return {
    fromBody: (headers, bytes) => mapped(form.fromBody(headers, bytes)),
    fromQuery: (query) => mapped(form.fromQuery(query)),
  };
}

/** @param within what stands before the names of fields of an object in the object, such as `retry.` */
function wrongFields(schema: TObject, fields: LooseFields, within = ""): FieldError[] {
  return Object.entries(schema.properties).flatMap(([name, rule]) => {
    const field = within + name;
    if (!Object.hasOwn(fields, name)) {
      const isRequired = schema.required?.includes(name) ?? false;
      return isRequired ? [{ field, message: `is missing: it must be ${ruleOf(rule)}` }] : [];
    }
    const value = fields[name];
    if (Value.Check(rule, value)) return [];
    if (isObjectSchema(rule) && isFields(value)) return wrongFields(rule, value, `${field}.`);
    return [{ field, message: `must be ${ruleOf(rule)}` }];
  });
}

/** A missing field names the unknown one that was probably meant to be it. */
function withMisspelt(error: FieldError, unknown: readonly UnknownField[]): FieldError {
  const meant = unknown.find(({ likely }) => likely === error.field);
  if (meant === undefined) return error;
  return { ...error, message: `${error.message} (${meant.field} is not known)` };
}

function queryFields(schema: TObject, query: URLSearchParams): LooseFields {
  const repeated = Object.keys(schema.properties).filter((field) => query.getAll(field).length > 1);
  if (repeated.length > 0) {
    throw invalid(repeated.map((field) => ({ field, message: "is there twice" })));
  }
  const given = [...query].map(
    ([field, value]) => [field, queryValue(schema.properties[field], value)] as const,
  );
  return Object.fromEntries<unknown>(given);
}

/** Text becomes a number only where one is asked for and it is written as one. */
function queryValue(schema: TSchema | undefined, value: string): unknown {
  return schema?.["type"] === "integer" ? digitsAsNumber(value) : value;
}
