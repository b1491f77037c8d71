// What answers where no route does: OPTIONS, the wrong method, and paths that do not exist.
import { fail } from "./envelope.ts";
import type { Route } from "./route.ts";

/** Answers a method and a path that have no route together. */
export type AnswerUnrouted = (method: string, path: string) => Response;

/** Knows from the routes which methods each path takes. */
export function createUnrouted(routes: readonly Route[]): AnswerUnrouted {
  const byPath = methodsByPath(routes);
  return (method, path) => {
    const allow = allowedAt(byPath, path);
    if (allow === undefined) return fail(404, "no such path; the document is at /swagger");
    if (method === "OPTIONS") return new Response(null, { status: 204, headers: { allow } });
    return fail(405, `this path takes ${allow}`, { headers: { allow } });
  };
}

/** Undefined where no route is; a `:name` in a route's path stands for any one part. */
function allowedAt(methods: ReadonlyMap<string, string>, path: string): string | undefined {
  const exact = methods.get(path);
  if (exact !== undefined) return exact;
  const [, allowed] = [...methods].find(([pattern]) => matches(pattern, path)) ?? [];
  return allowed;
}

function matches(pattern: string, path: string): boolean {
  if (!pattern.includes(":")) return false;
  const [wanted, given] = [pattern.split("/"), path.split("/")];
  if (wanted.length !== given.length) return false;
  return wanted.every((part, at) => (part.startsWith(":") ? given[at] !== "" : part === given[at]));
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
