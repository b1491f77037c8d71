// Judges imports by a table: which part of the source may import what, and which may touch a driver.
import { importsOf, type SourceFile } from "./source-files.ts";

/** A place is a file (`src/api.ts`) or a folder (`src/core/`); the longest that fits a file wins. */
export type PlaceRule = {
  readonly place: string;
  /** Places it may import at run time. */
  readonly imports: readonly string[];
  /** Places it may name in types besides; a type leaves nothing behind at run time. */
  readonly types: readonly string[];
  /** The only packages and built-in modules it may import; absent: what the drivers' table leaves. */
  readonly packages?: readonly string[];
  readonly why: string;
};

/** A package or built-in module that only few places may know; a name ending in `/` is a scope. */
export type DriverRule = {
  readonly driver: string;
  readonly places: readonly string[];
};

/** Every import of the project's own files that the table does not allow, one line each. */
export function brokenPlaceRules(files: readonly SourceFile[], rules: readonly PlaceRule[]) {
  return files.flatMap((file) => {
    const rule = ruleOf(file.path, rules);
    if (rule === undefined)
      return [`${file.path} has no rule: say in the table what it may import`];
    return importsOf(file)
      .filter(({ target }) => target.startsWith("src/") || target.startsWith("test/"))
      .filter(({ target, isTypeOnly }) => !isAllowed(target, isTypeOnly, rule))
      .map(({ target, line }) => `${file.path}:${line} must not import ${target}: ${rule.why}`);
  });
}

/** Every import of a package or built-in module that the table does not allow, types included, one line each. */
export function brokenPackageRules(files: readonly SourceFile[], rules: readonly PlaceRule[]) {
  return files.flatMap((file) => {
    const packages = ruleOf(file.path, rules)?.packages;
    if (packages === undefined) return [];
    return importsOf(file)
      .filter(({ target }) => !target.startsWith("src/") && !target.startsWith("test/"))
      .filter(({ target }) => !packages.some((name) => isModule(target, name)))
      .map(({ target, line }) => `${file.path}:${line} must not import ${target}`);
  });
}

function isAllowed(target: string, isTypeOnly: boolean, rule: PlaceRule): boolean {
  const places = isTypeOnly ? [...rule.imports, ...rule.types] : rule.imports;
  return places.some((place) => isIn(target, place));
}

/** Every import of a driver outside its places, types included, one line each. */
export function brokenDriverRules(files: readonly SourceFile[], rules: readonly DriverRule[]) {
  return files.flatMap((file) =>
    importsOf(file).flatMap(({ target, line }) => {
      const rule = rules.find(({ driver }) => isModule(target, driver));
      if (rule === undefined || rule.places.some((place) => isIn(file.path, place))) return [];
      const allowed = rule.places.join(", ") || "nowhere";
      return [`${file.path}:${line} must not import ${target}; allowed in: ${allowed}`];
    }),
  );
}

/** All modules that starting `entry` loads: its own imports, theirs and so on, without types. */
export function loadedBy(entry: string, files: readonly SourceFile[]): Set<string> {
  const byPath = new Map(files.map((file) => [file.path, file]));
  const loaded = new Set<string>();
  const open = [entry];
  for (let path = open.pop(); path !== undefined; path = open.pop()) {
    if (loaded.has(path)) continue;
    loaded.add(path);
    const file = byPath.get(path);
    if (file === undefined) continue;
    open.push(...importsOf(file).flatMap((it) => (it.isTypeOnly ? [] : [it.target])));
  }
  return loaded;
}

function ruleOf(path: string, rules: readonly PlaceRule[]): PlaceRule | undefined {
  const [longest] = rules
    .filter(({ place }) => isIn(path, place))
    .toSorted((a, b) => b.place.length - a.place.length);
  return longest;
}

function isIn(path: string, place: string): boolean {
  return place.endsWith("/") ? path.startsWith(place) : path === place;
}

function isModule(target: string, driver: string): boolean {
  if (driver.endsWith("/") || driver.endsWith(":")) return target.startsWith(driver);
  return target === driver || target.startsWith(`${driver}/`);
}
