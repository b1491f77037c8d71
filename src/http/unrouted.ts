// What answers where no route does: OPTIONS, the wrong method, and paths that do not exist.
import { fail } from "./envelope.ts";
import type { Route } from "./route.ts";

/** Answers a method and a path that have no route together. */
export type AnswerUnrouted = (method: string, path: string) => Response;

/** Knows from the routes which methods each path takes. */
export function createUnrouted(routes: readonly Route[]): AnswerUnrouted {
  const byPath = methodsByPath(routes);
  const patterns = [...byPath.keys()].filter((path) => path.includes(":"));
  return (method, path) => {
    const allow = byPath.get(path) ?? byPath.get(patternOf(path, patterns));
    if (allow === undefined) return fail(404, "no such path; the document is at /swagger");
    if (method === "OPTIONS") return new Response(null, { status: 204, headers: { allow } });
    return fail(405, `this path takes ${allow}`, { headers: { allow } });
  };
}

/** The path of a route with `:names` that this one fits, or the path itself. */
function patternOf(path: string, patterns: readonly string[]): string {
  const parts = path.split("/");
  const fits = (pattern: string) => {
    const wanted = pattern.split("/");
    if (wanted.length !== parts.length) return false;
    return wanted.every((part, index) => part.startsWith(":") || part === parts[index]);
  };
  return patterns.find(fits) ?? path;
}

/** The methods a route answers. */
export function methodsOf(route: Route): string[] {
  return route.method === "GET" ? ["GET", "HEAD"] : [route.method];
}

/** What goes into `Allow`, by path. */
function methodsByPath(routes: readonly Route[]): ReadonlyMap<string, string> {
  const byPath = new Map<string, string[]>();
  for (const route of routes) {
    byPath.set(route.path, [...(byPath.get(route.path) ?? []), ...methodsOf(route)]);
  }
  return new Map([...byPath].map(([path, methods]) => [path, [...methods, "OPTIONS"].join(", ")]));
}
