// A form: the fields one route takes, checked from a JSON body or a query, every wrong one named at once.
import type { Static, TObject, TSchema } from "@sinclair/typebox";
import { TypeCompiler } from "@sinclair/typebox/compiler";
import { Value } from "@sinclair/typebox/value";
import { AppError, errorLine, type FieldError } from "../core/errors.ts";
import { parseJsonBody, requireJson } from "./json-body.ts";
import { digitsAsNumber, type Fields, isFields, isObjectSchema, loosened } from "./loose-values.ts";
import { ruleOf } from "./schemas.ts";

/** Reads input into its type. Both throw AppError `invalid` with all wrong fields; unknown fields are ignored. */
export interface Form<T> {
  /** Throws AppError `unsupported` besides. */
  fromBody(headers: Headers, bytes: Uint8Array): T;
  fromQuery(query: URLSearchParams): T;
}

/**
 * Whose callers it is for. `seed`: those of the original API, which took JSON whatever the content type said, and "5"
 * for 5. `typed`: theirs too, where only the content type keeps a web page from sending it. `exact`: those of `/api/v1`.
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

  function check(fields: Fields): Static<T> {
    if (compiled.Check(fields)) return fields;
    // Only what does not fit is read twice: nearly every body does.
    const read = manner === "exact" ? fields : loosened(schema, fields);
    if (compiled.Check(read)) return read;
    throw invalid(wrongFields(schema, read));
  }

  return {
    fromBody: (headers, bytes) => {
      requireJson(headers, bytes, rules);
      return check(parseJsonBody(bytes, curl));
    },
    fromQuery: (query) => check(queryFields(schema, query)),
  };
}

/** Malformed input; the message names the fields, `errors` says what is wrong with each. */
export function invalid(errors: readonly FieldError[]): AppError {
  return new AppError("invalid", errorLine(errors), { errors });
}

/** @param within what stands before the names of fields of an object in the object, such as `retry.` */
function wrongFields(schema: TObject, fields: Fields, within = ""): FieldError[] {
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

function queryFields(schema: TObject, query: URLSearchParams): Fields {
  const repeated = Object.keys(schema.properties).filter((field) => query.getAll(field).length > 1);
  if (repeated.length > 0) {
    throw invalid(repeated.map((field) => ({ field, message: "is there twice" })));
  }
  const given = Object.entries(schema.properties).filter(([field]) => query.has(field));
  return Object.fromEntries(
    given.map(([field, rule]) => [field, queryValue(rule, query.get(field) ?? "")]),
  );
}

/** Text becomes a number only where one is asked for and it is written as one. */
function queryValue(schema: TSchema, value: string): unknown {
  return schema["type"] === "integer" ? digitsAsNumber(value) : value;
}
