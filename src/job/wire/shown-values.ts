// Makes values fit to be shown: secrets masked at any depth, sizes bounded, whatever a job hands over.
import { Buffer } from "node:buffer";
import { MASK, SECRET_KEY } from "../../core/secret-keys.ts";
import { cut } from "./cut-text.ts";
import { isRawJson, toJson } from "./intrinsics.ts";

const MAX_VALUE = 4_096;
const MAX_ALL = 65_536;
const MAX_DEPTH = 12;
const MAX_KEY = 200;

/** `left` counts bytes of JSON down; from zero on things are left out. */
interface Budget {
  readonly secret: RegExp;
  left: number;
  depth: number;
}

/** Whatever is neither text nor object. */
type Plain = number | bigint | boolean | symbol | null | undefined | (() => unknown);

/** Each value of `vars` cut at 4 KiB, all of them at 64 KiB. What is cut carries a mark. */
export function shownVars(vars: unknown, secret = SECRET_KEY): Record<string, unknown> {
  if (typeof vars !== "object" || vars === null) return { value: shownValue(vars, MAX_VALUE) };
  const shown: Record<string, unknown> = {};
  let left = MAX_ALL - 100;
  for (const key of keysOf(vars)) {
    const name = cut(key, MAX_KEY);
    const value = shownEntry(vars, key, { secret, left: MAX_VALUE - 100, depth: 0 });
    left -= sizeOf(value) + sizeOf(name) + 2;
    if (left < 0) return { ...shown, "…": "cut: more than 64 KiB in all" };
    shown[name] = value;
  }
  return shown;
}

/** One value, masked and of about `size` bytes of JSON at most. */
export function shownValue(value: unknown, size: number, secret = SECRET_KEY): unknown {
  return showItem(value, { secret, left: size, depth: 0 });
}

function shownEntry(from: object, key: string, budget: Budget): unknown {
  return budget.secret.test(key)
    ? MASK
    : oneDeeper(() => show((from as Record<string, unknown>)[key], budget), budget);
}

/** Its place in a list is no key. */
function showItem(item: unknown, budget: Budget): unknown {
  return oneDeeper(() => show(item, budget), budget);
}

/** One level deeper; what throws when it is read is said to. */
function oneDeeper(read: () => unknown, budget: Budget): unknown {
  budget.depth += 1;
  try {
    return read();
  } catch {
    return "[cannot be read]";
  } finally {
    budget.depth -= 1;
  }
}

function show(value: unknown, budget: Budget): unknown {
  if (typeof value === "string") return showText(value, budget);
  if (typeof value !== "object" || value === null) return showPlain(value as Plain, budget);
  if (isRawJson(value)) return showText(value.rawJSON, budget);
  if (budget.depth > MAX_DEPTH) return showText("… (cut, too deep)", budget);
  if (value instanceof Date || value instanceof Error || value instanceof RegExp) {
    return showText(String(value), budget);
  }
  if (value instanceof Map) return showObject(Object.fromEntries<unknown>(value), budget);
  if (value instanceof Set) return showList(value, value.size, budget);
  if (ArrayBuffer.isView(value)) return showText(`[${value.byteLength} bytes]`, budget);
  if (Array.isArray(value)) return showList(value as unknown[], value.length, budget);
  return showObject(value, budget);
}

function showPlain(value: Plain, budget: Budget): unknown {
  if (typeof value === "function") return showText(`[function ${value.name}]`, budget);
  const isJson = value === null || typeof value === "boolean" || Number.isFinite(value);
  if (!isJson) return showText(String(value), budget);
  budget.left -= sizeOf(value) + 1;
  return value;
}

function showText(text: string, budget: Budget): string {
  const room = Math.max(budget.left, 60);
  let shown = cut(text, room);
  const size = sizeOf(shown);
  if (size > room) shown = cut(text, Math.floor((shown.length * room) / size));
  budget.left -= sizeOf(shown) + 1;
  return shown;
}

function showList(list: Iterable<unknown>, length: number, budget: Budget): unknown[] {
  const shown: unknown[] = [];
  budget.left -= 2;
  for (const item of list) {
    if (budget.left <= 0) return [...shown, `… (cut, ${length} items)`];
    shown.push(showItem(item, budget));
  }
  return shown;
}

function showObject(object: object, budget: Budget): Record<string, unknown> {
  const shown: Record<string, unknown> = {};
  const keys = keysOf(object);
  budget.left -= 2;
  for (const key of keys) {
    if (budget.left <= 0) return { ...shown, "…": `cut, ${keys.length} keys` };
    const name = cut(key, MAX_KEY);
    budget.left -= sizeOf(name) + 1;
    shown[name] = shownEntry(object, key, budget);
  }
  return shown;
}

function keysOf(object: object): string[] {
  try {
    return Object.keys(object);
  } catch {
    return [];
  }
}

/** Bytes of JSON. */
function sizeOf(shown: unknown): number {
  return Buffer.byteLength(toJson(shown) ?? "");
}
