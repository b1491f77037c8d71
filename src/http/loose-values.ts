// Reads values as the original API's PHP did: digits as the number that was asked for, null and "" as nothing.
import type { TObject, TSchema } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";
import { isEmptyList } from "../core/task-content.ts";

export type LooseFields = Readonly<Record<string, unknown>>;

const DIGITS = /^\d{1,16}$/;
/** What PHP callers send where true or false is meant. */
const FLAGS = new Map<unknown, boolean>([
  ["true", true],
  ["1", true],
  [1, true],
  ["false", false],
  ["0", false],
  [0, false],
]);

/**
 * The fields with every value that breaks its rule read anew; what cannot be is left as it is. Optional ones of null or
 * "" are left out.
 */
export function loosened(schema: TObject, fields: LooseFields): LooseFields {
  const read = Object.entries(fields).flatMap(([name, value]) => {
    const rule = Object.hasOwn(schema.properties, name) ? schema.properties[name] : undefined;
    if (rule === undefined || Value.Check(rule, value)) return [[name, value] as const];
    const isOptional = !schema.required?.includes(name);
    if (isOptional && (value === null || value === "")) return [];
    return [[name, readAs(rule, value)] as const];
  });
  return Object.fromEntries(read);
}

function readAs(rule: TSchema, value: unknown): unknown {
  if (rule["type"] === "integer") return digitsAsNumber(value);
  if (rule["type"] === "boolean") return FLAGS.get(value) ?? value;
  if (!isObjectSchema(rule)) return value;
  if (isEmptyList(value)) return {};
  return isFields(value) ? loosened(rule, value) : value;
}

/** A number where text is digits and nothing else. */
export function digitsAsNumber(value: unknown): unknown {
  return typeof value === "string" && DIGITS.test(value) ? Number(value) : value;
}

export function isObjectSchema(schema: TSchema): schema is TObject {
  return schema["type"] === "object" && "properties" in schema;
}

export function isFields(value: unknown): value is LooseFields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
