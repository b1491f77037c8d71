// Reads what was thrown, whatever it is: getters, proxies and texts of its own may throw in their turn.

/** Stands for what cannot be read. */
const UNREADABLE = "[cannot be read]";

/** Undefined for what has no properties, or throws when it is read. */
export function property(from: unknown, key: string): unknown {
  return isObject(from) ? attempt(() => readFrom(from, key), undefined) : undefined;
}

/** The same of a property that is known to be there: what throws when it is read says so. */
export function ownProperty(from: object, key: string): unknown {
  return attempt(() => readFrom(from, key), UNREADABLE);
}

function readFrom(from: object, key: string): unknown {
  return (from as Record<string, unknown>)[key];
}

/** A property that is a text and not empty. */
export function textOf(from: unknown, key: string): string | undefined {
  const value = property(from, key);
  return typeof value === "string" && value !== "" ? value : undefined;
}

/** Own names, also of what is not enumerable: Bun hides the codes of errors like that. */
export function ownNames(of: unknown): string[] {
  return isObject(of) ? attempt(() => Object.getOwnPropertyNames(of), []) : [];
}

/** Of any realm, and behind a proxy: `instanceof` knows neither. */
export function isErrorLike(thrown: unknown): boolean {
  if (!isObject(thrown)) return false;
  if (attempt(() => Error.isError(thrown), false)) return true;
  return typeof property(thrown, "message") === "string" && textOf(thrown, "stack") !== undefined;
}

export function isObject(value: unknown): value is object {
  return (typeof value === "object" && value !== null) || typeof value === "function";
}

/** What `read` returns, or `otherwise` when it throws. */
export function attempt<T>(read: () => T, otherwise: T): T {
  try {
    return read();
  } catch {
    return otherwise;
  }
}
