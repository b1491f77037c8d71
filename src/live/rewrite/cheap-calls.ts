// Calls of built-in functions that take the same short time whatever they are given: no place a job could be stuck at.

/** Of any receiver. What a job or package calls the same and is slow has, or is missed for, a frame of its own. */
const METHODS = new Set(["at", "charAt", "charCodeAt", "codePointAt", "pop", "push"]);

const GLOBALS = new Set(["BigInt", "Boolean", "Number", "Symbol", "isFinite", "isNaN"]);

const CONSTRUCTORS = new Set([
  "Date",
  "Error",
  "RangeError",
  "SyntaxError",
  "TypeError",
  "WeakMap",
  "WeakSet",
]);

const STATIC: Readonly<Record<string, ReadonlySet<string> | "all">> = {
  Math: "all",
  Number: new Set(["isFinite", "isInteger", "isNaN", "isSafeInteger"]),
  String: new Set(["fromCharCode", "fromCodePoint"]),
  Array: new Set(["isArray"]),
  Object: new Set(["is", "getPrototypeOf"]),
  Date: new Set(["now"]),
  performance: new Set(["now"]),
};

export function isCheapMethod(name: string): boolean {
  return METHODS.has(name);
}

export function isCheapGlobal(name: string): boolean {
  return GLOBALS.has(name);
}

export function isCheapConstructor(name: string): boolean {
  return CONSTRUCTORS.has(name);
}

export function isCheapStatic(object: string, name: string): boolean {
  const names = Object.hasOwn(STATIC, object) ? STATIC[object] : undefined;
  return names === "all" || names?.has(name) === true;
}
