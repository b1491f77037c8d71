// Finds the fields of an input that nothing reads, and the names that were probably meant.
import type { TObject } from "@sinclair/typebox";
import { MOST_UNKNOWN, type UnknownField, unknownField } from "../core/unknown-field.ts";
import { isFields, isObjectSchema, type LooseFields } from "./loose-values.ts";

export type FindUnknown = (fields: LooseFields) => readonly UnknownField[];

interface Known {
  /** What stands before its names, such as `retry.` */
  readonly within: string;
  readonly names: ReadonlySet<string>;
  readonly inner: readonly (readonly [name: string, Known])[];
}

const NONE: readonly UnknownField[] = [];

/** Costs nothing but a look at each key while all of them are known. */
export function createUnknownFinder(schema: TObject): FindUnknown {
  const known = knownIn(schema);
  const all = namesIn(known);
  return (fields) => (isAllKnown(known, fields) ? NONE : unknownIn(known, fields, all));
}

function knownIn(schema: TObject, within = ""): Known {
  const inner = Object.entries(schema.properties).flatMap(([name, rule]) =>
    isObjectSchema(rule) ? [[name, knownIn(rule, `${within}${name}.`)] as const] : [],
  );
  return { within, names: new Set(Object.keys(schema.properties)), inner };
}

function namesIn({ within, names, inner }: Known): readonly string[] {
  const own = [...names].map((name) => within + name);
  return [...own, ...inner.flatMap(([, known]) => namesIn(known))];
}

function isAllKnown({ names, inner }: Known, fields: LooseFields): boolean {
  // No list of keys is made: every create comes through here.
  for (const name in fields) if (!names.has(name)) return false;
  for (const [name, known] of inner) {
    const value = fields[name];
    if (isFields(value) && !isAllKnown(known, value)) return false;
  }
  return true;
}

function unknownIn(
  known: Known,
  fields: LooseFields,
  all: readonly string[],
): readonly UnknownField[] {
  const siblings = [...known.names].map((sibling) => known.within + sibling);
  const own = Object.keys(fields)
    .filter((name) => !known.names.has(name))
    .slice(0, MOST_UNKNOWN)
    .map((name) => unknownField(name, { within: known.within, known: siblings, names: all }));
  const inner = known.inner.flatMap(([name, deeper]) => {
    const value = fields[name];
    return isFields(value) ? unknownIn(deeper, value, all) : [];
  });
  return [...own, ...inner].slice(0, MOST_UNKNOWN);
}
