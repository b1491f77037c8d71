// Finds the fields of an input that nothing reads, and the names that were probably meant.
import type { TObject } from "@sinclair/typebox";
import type { FieldError } from "../core/errors.ts";
import { nearestNames } from "../core/nearest-names.ts";
import { type Fields, isFields, isObjectSchema } from "./loose-values.ts";

/** A field that no rule knows. */
export interface UnknownField {
  readonly field: string;
  /** What it was probably meant to be. */
  readonly likely: string | undefined;
  /** The fields that are known where it stood. */
  readonly known: readonly string[];
}

export type FindUnknown = (fields: Fields) => readonly UnknownField[];

interface Known {
  /** What stands before its names, such as `retry.` */
  readonly within: string;
  readonly names: ReadonlySet<string>;
  readonly inner: readonly (readonly [name: string, Known])[];
}

const NONE: readonly UnknownField[] = [];
const MOST = 10;
/** Other names are not echoed. */
const PLAIN_NAME = /^[\p{L}_][\p{L}\p{N}_-]{0,63}$/u;

/** Costs nothing but a look at each key while all of them are known. */
export function createUnknownFinder(schema: TObject): FindUnknown {
  const known = knownIn(schema);
  const all = namesIn(known);
  return (fields) => (isAllKnown(known, fields) ? NONE : unknownIn(known, fields, all));
}

/** For a caller whose request goes on without it. */
export function warningOf(unknown: UnknownField): string {
  return `${unknown.field} is not known and was ignored${hintOf(unknown)}`;
}

/** For a caller whose request is refused because of it. */
export function errorOf(unknown: UnknownField): FieldError {
  return { field: unknown.field, message: `is not known${hintOf(unknown)}` };
}

function hintOf({ likely, known }: UnknownField): string {
  if (likely !== undefined) return `; did you mean '${likely}'?`;
  return `; the fields here are ${known.join(", ")}`;
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

function isAllKnown({ names, inner }: Known, fields: Fields): boolean {
  // No list of keys is made: every create comes through here.
  for (const name in fields) if (!names.has(name)) return false;
  for (const [name, known] of inner) {
    const value = fields[name];
    if (isFields(value) && !isAllKnown(known, value)) return false;
  }
  return true;
}

function unknownIn(known: Known, fields: Fields, all: readonly string[]): readonly UnknownField[] {
  const own = Object.keys(fields)
    .filter((name) => !known.names.has(name))
    .slice(0, MOST)
    .map((name) => unknownField(known, name, all));
  const inner = known.inner.flatMap(([name, deeper]) => {
    const value = fields[name];
    return isFields(value) ? unknownIn(deeper, value, all) : [];
  });
  return [...own, ...inner].slice(0, MOST);
}

function unknownField(known: Known, name: string, all: readonly string[]): UnknownField {
  const siblings = [...known.names].map((sibling) => known.within + sibling);
  if (!PLAIN_NAME.test(name)) {
    return { field: "a field with an unusual name", likely: undefined, known: siblings };
  }
  const field = known.within + name;
  return { field, likely: nearestNames(field, all).likely[0], known: siblings };
}
