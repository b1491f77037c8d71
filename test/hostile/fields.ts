// Every field of every documented body, replaced by each naughty text and value, and every body by each malformed one.
import openapi from "../../docs/openapi.json";
import type { HostileRequest } from "./judge.ts";
import { MALFORMED_BODIES, NAUGHTY_TEXTS, NAUGHTY_VALUES } from "./naughty.ts";

type Json = Readonly<Record<string, unknown>>;
type Route = readonly [keys: readonly string[], value: unknown];

interface Documented {
  readonly requestBody?: {
    readonly content: { readonly "application/json": { readonly examples?: Examples } };
  };
}
type Examples = Readonly<Record<string, { readonly value: Json }>>;

/** Paths of the document that take a body, with its examples. */
function documentedBodies(): [path: string, bodies: readonly Json[]][] {
  const paths = openapi.paths as unknown as Readonly<Record<string, { post?: Documented }>>;
  return Object.entries(paths).flatMap(([path, { post }]) => {
    const examples = post?.requestBody?.content["application/json"].examples ?? {};
    const bodies = Object.values(examples).map(({ value }) => value);
    return bodies.length > 0 ? [[path, bodies] as [string, readonly Json[]]] : [];
  });
}

/** @param fill replaces what stands in braces in a path */
export function hostileRequests(fill: (path: string) => string): HostileRequest[] {
  return documentedBodies().flatMap(([documented, bodies]) => {
    const path = fill(documented);
    const malformed = MALFORMED_BODIES.map(([what, body]) => ({ what, path, body, documented }));
    return [...malformed, ...bodies.flatMap((body) => wrongFields(path, body, documented))];
  });
}

function wrongFields(path: string, body: Json, documented: string): HostileRequest[] {
  const values = [...NAUGHTY_TEXTS, ...NAUGHTY_VALUES];
  return routesIn(body).flatMap(([keys]) => [
    ...values.map((value) => ({
      what: `${keys.join(".")} = ${JSON.stringify(value).slice(0, 60)}`,
      path,
      documented,
      body: JSON.stringify(withValue(body, keys, value)),
    })),
    ...NAUGHTY_TEXTS.map((name) => ({
      what: `a field ${JSON.stringify(name).slice(0, 60)} beside ${keys.join(".")}`,
      path,
      documented,
      body: JSON.stringify(withValue(body, [...keys.slice(0, -1), name], 1)),
    })),
  ]);
}

/** All fields at any depth, the inner ones too. */
function routesIn(value: unknown, keys: readonly string[] = []): Route[] {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return [];
  return Object.entries(value).flatMap(([key, inner]) => {
    const route = [...keys, key];
    return [[route, inner] as Route, ...routesIn(inner, route)];
  });
}

function withValue(body: Json, keys: readonly string[], value: unknown): Json {
  const [key = "", ...rest] = keys;
  const inner = rest.length === 0 ? value : withValue((body[key] ?? {}) as Json, rest, value);
  // An own property, whatever its name: `__proto__` too.
  return Object.fromEntries([
    ...Object.entries(body).filter(([name]) => name !== key),
    [key, inner],
  ]);
}
