// Notes which fields of documented answers were there in a live one: what nobody fills is documented in vain.

type Schema = Readonly<Record<string, unknown>>;

export interface FieldNotes {
  /** The fields of a value that has this schema. */
  note(schema: object, value: unknown): void;
  /** Fields of the noted schemas, and of all they refer to, that no value had, such as `Attempt.error`. */
  unseen(): string[];
}

/** A field, or the items of a list. */
interface Member {
  readonly path: string;
  readonly schema: Schema;
  /** What a value has there. */
  valuesOf(value: unknown): readonly unknown[];
}

/** `schemas` are those with a name. */
export function createFieldNotes(schemas: Readonly<Record<string, object>>): FieldNotes {
  const documented = new Set<string>();
  const seen = new Set<string>();
  const listed = new Set<object>();

  /** All that a value of this schema may be, each with its name in the document. */
  function resolve(schema: Schema, name: string): readonly [Schema, string][] {
    const { $ref = "" } = schema as { readonly $ref?: string };
    const target = $ref.split("/").at(-1) ?? "";
    if (target !== "") return resolve((schemas[target] ?? {}) as Schema, target);
    const either = [schema["allOf"], schema["anyOf"], schema["oneOf"]].find(Array.isArray);
    if (either === undefined) return [[schema, name]];
    return (either as readonly Schema[]).flatMap((one) => resolve(one, name));
  }

  function list(schema: Schema, name: string): void {
    for (const [part, place] of resolve(schema, name)) {
      if (listed.has(part)) continue;
      listed.add(part);
      for (const member of membersOf(part, place)) {
        documented.add(member.path);
        list(member.schema, member.path);
      }
    }
  }

  function look(schema: Schema, name: string, value: unknown): void {
    const members = resolve(schema, name).flatMap(([part, place]) => membersOf(part, place));
    for (const member of members) {
      for (const there of member.valuesOf(value)) {
        seen.add(member.path);
        look(member.schema, member.path, there);
      }
    }
  }

  return {
    note(schema, value) {
      list(schema as Schema, "");
      look(schema as Schema, "", value);
    },
    // That a list may be empty is no news.
    unseen: () => [...documented].filter((path) => !seen.has(path) && !path.endsWith("[]")),
  };
}

function membersOf(schema: Schema, place: string): Member[] {
  const properties = (schema["properties"] ?? {}) as Readonly<Record<string, Schema>>;
  const fields = Object.entries(properties).map(([field, inner]): Member => {
    const valuesOf = (value: unknown) => (hasField(value, field) ? [value[field]] : []);
    return { path: `${place}.${field}`, schema: inner, valuesOf };
  });
  const { items } = schema as { readonly items?: Schema };
  if (items === undefined) return fields;
  const valuesOf = (value: unknown) => (Array.isArray(value) ? value : []);
  return [...fields, { path: `${place}[]`, schema: items, valuesOf }];
}

function hasField(value: unknown, field: string): value is Schema {
  return typeof value === "object" && value !== null && field in value;
}
