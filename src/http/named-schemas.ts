// Gathers the named schemas of a document in its components, so that each is written there once.
import { nameOf } from "../core/views/named.ts";

type Plain = Record<string, unknown>;

/** Takes parts of a document; `schemas` has what was found in them so far, by name. */
export interface SchemaGathering {
  /** The same as plain JSON, a reference in place of each named schema. Throws when two schemas have one name. */
  take(part: unknown): unknown;
  schemas(): Plain;
}

export function gatherSchemas(): SchemaGathering {
  const found = new Map<string, string>();

  function take(part: unknown): unknown {
    if (Array.isArray(part)) return part.map(take);
    if (typeof part !== "object" || part === null) return part;
    const name = nameOf(part);
    if (name === undefined) return membersOf(part);
    keep(name, part);
    return { $ref: `#/components/schemas/${name}` };
  }

  function membersOf(part: object): Plain {
    const members = Object.entries(part).filter(([, value]) => value !== undefined);
    return Object.fromEntries(members.map(([key, value]) => [key, take(value)]));
  }

  function keep(name: string, schema: object): void {
    const text = JSON.stringify(membersOf(schema));
    const known = found.get(name) ?? text;
    if (known !== text) throw new Error(`two schemas have the name ${name}`);
    found.set(name, text);
  }

  const schemas = () => {
    const sorted = [...found].sort(([one], [other]) => (one < other ? -1 : 1));
    return Object.fromEntries(sorted.map(([name, text]) => [name, JSON.parse(text) as unknown]));
  };
  return { take, schemas };
}
