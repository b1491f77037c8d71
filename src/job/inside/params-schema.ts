// Tells whether a params schema can be said in JSON Schema, which is all that the catalogue can store.
import { cut } from "../wire/cut-text.ts";

const KIND = Symbol.for("TypeBox.Kind");
const TRANSFORM = Symbol.for("TypeBox.Transform");

/** Kinds of TypeBox that describe JavaScript values no JSON text can hold. */
const UNSAYABLE = new Set([
  "AsyncIterator",
  "BigInt",
  "Constructor",
  "Date",
  "Function",
  "Iterator",
  "Promise",
  "RegExp",
  "Symbol",
  "Uint8Array",
  "Undefined",
  "Void",
]);

const MAX_BYTES = 65_536;
const MAX_DEPTH = 64;

/** Names the first field that JSON Schema cannot say, or undefined. */
export function paramsProblem(schema: unknown): string | undefined {
  const vendor = vendorOf(schema);
  if (vendor !== undefined) {
    return `params is a schema of ${vendor}, which the catalogue cannot store; use Type.Object from serendipity-job`;
  }
  if (typeof schema !== "object" || schema === null || Array.isArray(schema)) {
    return "params must be a schema; use Type.Object from serendipity-job";
  }
  const problem = schemaProblem(schema, "params", 0);
  if (problem !== undefined) return problem;
  const bytes = JSON.stringify(schema).length;
  return bytes > MAX_BYTES
    ? `params is a schema of ${bytes} bytes, allowed are ${MAX_BYTES}`
    : undefined;
}

/** The library that made a schema, as the Standard Schema interface tells it; of zod 3, which may lack it, by its mark. */
function vendorOf(schema: unknown): string | undefined {
  if ((typeof schema !== "object" && typeof schema !== "function") || schema === null) return;
  if (KIND in schema) return;
  const standard: unknown = Reflect.get(schema, "~standard");
  if (typeof standard === "object" && standard !== null && "vendor" in standard) {
    return cut(String(standard.vendor), 50);
  }
  return "_def" in schema ? "zod" : undefined;
}

function schemaProblem(schema: object, path: string, depth: number): string | undefined {
  if (depth > MAX_DEPTH) return `${cut(path, 200)} is nested too deep, or holds itself`;
  const kind = (schema as Readonly<Record<symbol, unknown>>)[KIND];
  if (typeof kind === "string" && UNSAYABLE.has(kind)) {
    return `${path} is Type.${kind}(), which JSON Schema cannot say; use what JSON can carry`;
  }
  if (TRANSFORM in schema) return `${path} is a transform, which JSON Schema cannot say`;
  for (const [key, value] of Object.entries(schema)) {
    const problem = valueProblem(value, pathOf(path, key), depth);
    if (problem !== undefined) return problem;
  }
  return;
}

function valueProblem(value: unknown, path: string, depth: number): string | undefined {
  if (value === undefined || value === null) return;
  if (typeof value === "string" || typeof value === "boolean" || Number.isFinite(value)) return;
  if (typeof value !== "object") return `${path} is a ${typeof value}, which JSON cannot carry`;
  const prototype: unknown = Object.getPrototypeOf(value);
  const isPlain = Array.isArray(value) || prototype === null || prototype === Object.prototype;
  if (!isPlain) return `${path} is no plain object, list or text, which JSON cannot carry`;
  return schemaProblem(value, path, depth + 1);
}

/** The path as authors see it: `params.items[].date`, not `params.properties.items.items.properties.date`. */
function pathOf(path: string, key: string): string {
  if (key === "properties" || key === "anyOf" || key === "allOf" || /^\d+$/.test(key)) return path;
  return key === "items" ? `${path}[]` : `${path}.${key}`;
}
