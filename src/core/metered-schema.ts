// Rewrites a params schema so that each part of it says what it costs, and what cannot be checked here is left out.
import { linearPattern } from "./linear-pattern.ts";

export type Schema = Readonly<Record<string, unknown>>;

/** The keyword that is added to every part; its value says what looking at a value costs. */
export const METER = "$meter";

/** In units of the meter. */
export interface Cost {
  readonly base: number;
  /** For each key of an object. */
  readonly perKey: number;
  /** For each character of a text. */
  readonly perCharacter: number;
}

export interface MeteredSchema {
  readonly schema: Schema;
  /** Patterns that are checked elsewhere. */
  readonly unchecked: readonly string[];
}

/** Keywords whose value is a schema, a list of them, or a map of them; data such as `enum` must not be touched. */
const ONE = ["items", "additionalItems", "contains", "additionalProperties", "propertyNames"];
const BRANCH = ["then", "else"];
/** More that passes in them can refuse more: nothing may be left out below these. */
const TURNED = ["not", "if"];
const LISTS = ["allOf", "anyOf", "items"];
const MAPS = ["properties", "patternProperties"];
/** Reached by $ref from anywhere, also from below `not`. */
const SHARED = ["$defs", "definitions", "dependencies"];

const LOOK_AT_KEYS = ["propertyNames", "maxProperties", "minProperties"];

/** What a schema is like where it stands. */
interface Place {
  readonly mayLeaveOut: boolean;
  readonly unchecked: Set<string>;
}

/** The schema as the API and the consumer check it. */
export function meteredSchema(schema: Schema): MeteredSchema {
  const unchecked = new Set<string>();
  const metered = rewrite(schema, { mayLeaveOut: hasOnlySharedRefs(schema), unchecked });
  return { schema: metered as Schema, unchecked: [...unchecked] };
}

/** Whether `$ref` reaches nothing but SHARED; others may reach any pattern, also from below `not`. */
function hasOnlySharedRefs(part: unknown): boolean {
  if (typeof part !== "object" || part === null) return true;
  return Object.entries(part).every(([key, value]) =>
    key === "$ref" && typeof value === "string"
      ? value.startsWith("#/$defs/") || value.startsWith("#/definitions/")
      : hasOnlySharedRefs(value),
  );
}

function rewrite(schema: unknown, place: Place): unknown {
  if (!isSchema(schema)) return schema;
  const turned = { ...place, mayLeaveOut: false };
  const parts: Record<string, unknown> = { ...schema, [METER]: costOf(schema) };
  const each = (keys: readonly string[], change: (value: unknown) => unknown) => {
    for (const key of keys) if (Object.hasOwn(parts, key)) parts[key] = change(parts[key]);
  };
  each([...ONE, ...BRANCH], (value) => rewrite(value, place));
  each(TURNED, (value) => rewrite(value, turned));
  each(LISTS, (value) => rewriteList(value, place));
  each(["oneOf"], (value) => rewriteList(value, turned));
  each(MAPS, (value) => rewriteMap(value, place));
  each(SHARED, (value) => rewriteMap(value, turned));
  leavePatternOut(parts, place);
  for (const key of Object.keys(patternsOf(schema))) noteUnchecked(key, place);
  return parts;
}

function isSchema(value: unknown): value is Schema {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function rewriteList(value: unknown, place: Place): unknown {
  return Array.isArray(value) ? value.map((part) => rewrite(part, place)) : value;
}

function rewriteMap(value: unknown, place: Place): unknown {
  if (!isSchema(value)) return value;
  const entries = Object.entries(value).map(([key, part]) => [key, rewrite(part, place)] as const);
  return Object.fromEntries(entries);
}

function leavePatternOut(parts: Record<string, unknown>, place: Place): void {
  const { pattern } = parts;
  if (typeof pattern !== "string" || !noteUnchecked(pattern, place)) return;
  if (place.mayLeaveOut) delete parts["pattern"];
}

function patternsOf(schema: Schema): Schema {
  const { patternProperties } = schema;
  return isSchema(patternProperties) ? patternProperties : {};
}

/** Whether it is a pattern that cannot be checked here. */
function noteUnchecked(pattern: string, { unchecked }: Place): boolean {
  if (unchecked.has(pattern)) return true;
  if (linearPattern(pattern) !== null) return false;
  unchecked.add(pattern);
  return true;
}

function costOf(schema: Schema): Cost {
  const { properties, enum: values, const: only, additionalProperties } = schema;
  const names = isSchema(properties) ? Object.keys(properties).length : 0;
  const patterns = Object.keys(patternsOf(schema)).length;
  const isClosed = additionalProperties !== undefined && additionalProperties !== true;
  const looksAtKeys = isClosed || patterns > 0 || has(schema, LOOK_AT_KEYS);
  const compared = values === undefined && only === undefined ? 0 : textLength([values, only]);
  const measures = has(schema, ["maxLength", "minLength"]);
  return {
    base: 30 + 2 * names + lengthsOf(schema) + dependenciesOf(schema) + compared,
    perKey: (looksAtKeys ? 5 + names : 0) + 2 * objectsIn([values, only]),
    perCharacter: measures ? 0.5 : 0,
  };
}

function has(schema: Schema, keys: readonly string[]): boolean {
  return keys.some((key) => schema[key] !== undefined);
}

/** Lists whose entries are looked at one by one, also when these are no more than true or false. */
function lengthsOf({ required, items, allOf, anyOf, oneOf }: Schema): number {
  const light = 2 * (lengthOf(required) + lengthOf(items));
  return light + 10 * (lengthOf(allOf) + lengthOf(anyOf) + lengthOf(oneOf));
}

function lengthOf(list: unknown): number {
  return Array.isArray(list) ? list.length : 0;
}

/** 13: a key that is in no value is looked up that slowly. */
function dependenciesOf({ dependencies }: Schema): number {
  if (!isSchema(dependencies)) return 0;
  const costs = Object.values(dependencies).map((needed) => 13 + 2 * lengthOf(needed));
  return costs.reduce((sum, cost) => sum + cost, 0);
}

/** Ajv counts the keys of a value for each object it compares with. */
function objectsIn(value: unknown): number {
  if (typeof value !== "object" || value === null) return 0;
  const within = Object.values(value).reduce((sum: number, part) => sum + objectsIn(part), 0);
  return within + (Array.isArray(value) ? 0 : 1);
}

function textLength(value: unknown): number {
  return JSON.stringify(value).length;
}
