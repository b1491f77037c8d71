// Gives schemas names: programs that are made from the document call its types by them.
import type { TSchema } from "@sinclair/typebox";

/** A symbol: validators and JSON do not see it, and TypeBox keeps it in its copies. */
const NAME = Symbol("schema name");

/** The schema under the name that programs made from the document will call it by. */
export function named<T extends TSchema>(name: string, schema: T): T {
  return { ...schema, [NAME]: name };
}

/** The name of a schema, if it has one. */
export function nameOf(schema: object): string | undefined {
  return (schema as { readonly [NAME]?: string })[NAME];
}
