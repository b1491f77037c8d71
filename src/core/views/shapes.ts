// What the schemas of views are made of, with the types that follow from them.
import {
  type Static,
  type TObject,
  type TProperties,
  type TSchema,
  type TUnsafe,
  Type,
} from "@sinclair/typebox";
import { nameOf } from "./named.ts";

/** What a schema describes: the type of a view. */
export type Shown<T extends TSchema> = Unchanging<Static<T>>;

/** The type of some fields of a view. */
export type ShownFields<T extends TProperties> = Shown<TObject<T>>;

/** Nobody changes a view once it is made. */
type Unchanging<T> = T extends readonly (infer Item)[]
  ? readonly Unchanging<Item>[]
  : T extends object
    ? { readonly [Field in keyof T]: Unchanging<T[Field]> }
    : T;

type AnyObject = Record<string, unknown>;

/** Whatever object: without `additionalProperties` generators of programs make of it one without members. */
export function anyObject(description?: string): TUnsafe<AnyObject> {
  const options = { additionalProperties: true, ...(description && { description }) };
  return Type.Unsafe<AnyObject>(Type.Object({}, options));
}

/** A whole number that may pass 2^31: ids, and moments in epoch ms. */
export function int64(description?: string) {
  return Type.Integer({ format: "int64", ...(description && { description }) });
}

/** One of some values; TypeBox's own literals are `const`, which OpenAPI 3.0 does not know. */
export function oneOf<const T extends string | number>(
  values: readonly T[],
  description?: string,
): TUnsafe<T> {
  const type = typeof values[0] === "number" ? "integer" : "string";
  return Type.Unsafe<T>({ type, enum: values, ...(description && { description }) });
}

/** One of some words, or null. */
export function oneOfOrNull<const T extends string>(
  values: readonly T[],
  description?: string,
): TUnsafe<T | null> {
  const words = { enum: [...values, null], ...(description && { description }) };
  return Type.Unsafe<T | null>({ ...Type.String(words), nullable: true });
}

/** A word that the platform takes from `T`; a later release may know more, so that the document names none. */
export function word<T extends string>(description?: string): TUnsafe<T> {
  return Type.Unsafe<T>(Type.String({ ...(description && { description }) }));
}

/** The schema, or null. */
export function nullable<T extends TSchema>(schema: T): TUnsafe<Static<T> | null> {
  // A reference has no members beside it in OpenAPI 3.0; generators take this one as "or null".
  const either = nameOf(schema)
    ? { nullable: true, allOf: [schema] }
    : { ...schema, nullable: true };
  return Type.Unsafe<Static<T> | null>(either);
}

/** In the data of a success: what stands in the way of it, or was not understood. */
export const warningsField = Type.Optional(
  Type.Array(Type.String(), {
    description:
      "What the caller should know, such as fields that are not known, with the nearest name; absent when there is nothing.",
  }),
);
