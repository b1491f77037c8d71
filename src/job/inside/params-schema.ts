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

/** What TypeBox 1 hides in a schema that holds a function. */
const CODE = ["~codec", "~refine"];

const MAX_BYTES = 65_536;
const MAX_DEPTH = 64;
const WAY_OUT = "use Type.Object from serendipity-job";

/** Names the first field that JSON Schema cannot say, or undefined. */
export function paramsProblem(schema: unknown): string | undefined {
  const problem = rootProblem(schema) ?? valueProblem(schema, "params", -1);
  if (problem !== undefined) return problem;
  const bytes = JSON.stringify(schema).length;
  return bytes > MAX_BYTES
    ? `params is a schema of ${bytes} bytes, allowed are ${MAX_BYTES}`
    : undefined;
}

function rootProblem(schema: unknown): string | undefined {
  if (vendorOf(schema) !== undefined) return;
  if (!isPlain(schema) || Array.isArray(schema)) return `params must be a schema; ${WAY_OUT}`;
  const fields = Object.values(schema);
  // As JSON Schema these would be unknown keywords: everything would be accepted.
  const isShape = kindOf(schema) === undefined && fields.length > 0 && fields.every(isSchema);
  return isShape ? `params is an object of schemas and no schema itself; ${WAY_OUT}` : undefined;
}

function isSchema(value: unknown): boolean {
  return kindOf(value) !== undefined || vendorOf(value) !== undefined;
}

/** The library that made a schema, as the Standard Schema interface tells it; TypeBox does not count. */
function vendorOf(value: unknown): string | undefined {
  if (!isObject(value) || kindOf(value) !== undefined) return;
  // Zod hides it in the JSON Schema that it writes.
  if (isPlain(value) && !Object.keys(value).includes("~standard")) return;
  const standard: unknown = Reflect.get(value, "~standard");
  const vendor: unknown = isObject(standard) ? Reflect.get(standard, "vendor") : undefined;
  return typeof vendor === "string" ? cut(vendor, 50) : undefined;
}

/** TypeBox before 1.0 has it under a symbol, later ones under a name that JSON leaves out. */
function kindOf(value: unknown): string | undefined {
  if (!isObject(value)) return;
  const kind: unknown = Reflect.get(value, KIND) ?? Reflect.get(value, "~kind");
  return typeof kind === "string" ? kind : undefined;
}

/** Functions count: some libraries make schemas that can be called. */
function isObject(value: unknown): value is object {
  return (typeof value === "object" && value !== null) || typeof value === "function";
}

function isPlain(value: unknown): value is object {
  if (typeof value !== "object" || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return Array.isArray(value) || prototype === null || prototype === Object.prototype;
}

function schemaProblem(schema: object, path: string, depth: number): string | undefined {
  if (depth > MAX_DEPTH) return `${cut(path, 200)} is nested too deep, or holds itself`;
  const kind = kindOf(schema);
  if (kind !== undefined && UNSAYABLE.has(kind)) {
    return `${path} is Type.${kind}(), which JSON Schema cannot say; use what JSON can carry`;
  }
  if (holdsCode(schema))
    return `${path} is a transform or refinement, which JSON Schema cannot say`;
  for (const [key, value] of Object.entries(schema)) {
    const problem = valueProblem(value, pathOf(path, key), depth);
    if (problem !== undefined) return problem;
  }
  return;
}

/** A field of the params may have such a name too, and is seen by JSON. */
function holdsCode(schema: object): boolean {
  if (TRANSFORM in schema) return true;
  return CODE.some((name) => Object.hasOwn(schema, name) && !Object.keys(schema).includes(name));
}

function valueProblem(value: unknown, path: string, depth: number): string | undefined {
  if (value === undefined || value === null) return;
  if (typeof value === "string" || typeof value === "boolean" || Number.isFinite(value)) return;
  const vendor = vendorOf(value);
  if (vendor !== undefined) {
    return `${path} is a schema of ${vendor}, which the catalogue cannot store; ${WAY_OUT}`;
  }
  if (typeof value !== "object") return `${path} is a ${typeof value}, which JSON cannot carry`;
  if (!isPlain(value)) return `${path} is no plain object, list or text, which JSON cannot carry`;
  return schemaProblem(value, path, depth + 1);
}

/** The path as authors see it: `params.items[].date`, not `params.properties.items.items.properties.date`. */
function pathOf(path: string, key: string): string {
  if (key === "properties" || key === "anyOf" || key === "allOf" || /^\d+$/.test(key)) return path;
  return key === "items" ? `${path}[]` : `${path}.${key}`;
}
