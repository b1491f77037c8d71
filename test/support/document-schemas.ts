// Reads the schemas of the OpenAPI document as validators do, and as strictly as the platform's own answers have to be.
import { Ajv, type ValidateFunction } from "ajv";

type Plain = Readonly<Record<string, unknown>>;

export interface Reading {
  /** Objects have no other members than the document names, except where it says that they may. */
  readonly isClosed: boolean;
}

/** A validator of one schema; `components` is the document's, for its references. */
export function validatorOf(
  schema: object,
  components: object,
  { isClosed }: Reading,
): ValidateFunction {
  const ajv = new Ajv({ strict: false, validateFormats: false, allErrors: true });
  const whole = { ...schema, components };
  return ajv.compile(readSchema(whole, isClosed) as object);
}

function readSchema(part: unknown, isClosed: boolean): unknown {
  if (Array.isArray(part)) return part.map((each) => readSchema(each, isClosed));
  if (typeof part !== "object" || part === null) return part;
  const read = Object.entries(part).map(([key, value]) => [key, readSchema(value, isClosed)]);
  return orNull(closed(Object.fromEntries(read) as Plain, isClosed));
}

function closed(schema: Plain, isClosed: boolean): Plain {
  const isOpen = !isClosed || schema["type"] !== "object" || "additionalProperties" in schema;
  return isOpen ? schema : { ...schema, additionalProperties: false };
}

/** A reference or null: JSON Schema has another word for it. */
function orNull(schema: Plain): Plain {
  const { nullable, allOf, ...rest } = schema;
  if (nullable !== true || !Array.isArray(allOf)) return schema;
  return { ...rest, anyOf: [...allOf, { type: "null" }] };
}
