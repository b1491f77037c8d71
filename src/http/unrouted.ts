// What is sent where there is no route: OPTIONS, the wrong method, and paths that do not exist.
import { AppError } from "../core/errors.ts";
import { errorResponse } from "./errors.ts";
import { problemResponse } from "./problem.ts";
import type { Route } from "./route.ts";

const NO_SUCH_PATH = new AppError("not_found", "no such path; the document is at /swagger");

/** The response to a method and a path that have no route together. */
export type AnswerUnrouted = (method: string, path: string) => Response;

/** Knows from the routes which methods each path takes. */
export function createUnrouted(routes: readonly Route[]): AnswerUnrouted {
  const byPath = methodsByPath(routes);
  return (method, path) => {
    const allow = allowedAt(byPath, path);
    if (allow === undefined) return respond(path, NO_SUCH_PATH);
    if (method === "OPTIONS") return new Response(null, { status: 204, headers: { allow } });
    const response = respond(path, new AppError("method_not_allowed", `this path takes ${allow}`));
    response.headers.set("allow", allow);
    return response;
  };
}

/** Below /api/v1 there is no envelope, not even where no route is. */
function respond(path: string, error: AppError): Response {
  const isPlain = `${path}/`.startsWith("/api/v1/");
  return isPlain ? problemResponse(error) : errorResponse(error);
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

/** The methods that routes have for this path. */
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
