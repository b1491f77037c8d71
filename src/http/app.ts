// An app of routes: Elysia finds the route; around it stand what every request gets, whatever becomes of it.
import { Elysia } from "elysia";
import type { Logger } from "../core/logger.ts";
import { fail } from "./envelope.ts";
import { errorResponse, failureNote } from "./errors.ts";
import { problemResponse } from "./problem.ts";
import { readUrl, routableRequest } from "./request-url.ts";
import type { Exchange, Route } from "./route.ts";

/** An edge-style app: give it a request, get a response; it never rejects. */
export interface HttpApp {
  fetch(request: Request): Promise<Response>;
}

/** An exchange while it is answered. */
interface OpenExchange extends Exchange {
  params: Exchange["params"];
  failure?: string;
}

/** What the router tells of a request. */
interface Routed {
  readonly request: Request;
  readonly params: Readonly<Record<string, string>>;
}

const REQUEST_ID = /^[\x21-\x7e]{1,64}$/;
const MAX_LOGGED_PATH = 200;

/** Serves the routes. Each request gets an X-Request-Id, the envelope and one log line. */
export function createApp(routes: readonly Route[], logger?: Logger): HttpApp {
  const exchanges = new WeakMap<Request, OpenExchange>();
  const methods = methodsByPath(routes);
  const elysia = new Elysia({ strictPath: true, normalize: false }).onError(({ error, request }) =>
    answerUnrouted(error, request),
  );
  for (const route of routes) {
    for (const method of methodsOf(route)) {
      const handle = ({ request, params }: Routed) => answer(route, request, params);
      elysia.route(method, route.path, handle, { parse: "none" });
    }
  }

  async function answer(
    route: Route,
    request: Request,
    params: Exchange["params"],
  ): Promise<Response> {
    const exchange = exchanges.get(request);
    if (exchange === undefined) return errorResponse(new Error("a request without an exchange"));
    exchange.params = params;
    try {
      return await route.answer(exchange);
    } catch (error) {
      const failure = failureNote(error);
      if (failure !== undefined) exchange.failure = failure;
      const respond = route.failures === "problem" ? problemResponse : errorResponse;
      return respond(error, route.challenge);
    }
  }

  function answerUnrouted(error: unknown, request: Request): Response {
    const exchange = exchanges.get(request);
    const allowed = allowedAt(methods, exchange?.url.pathname ?? "");
    if (!isNotFound(error)) {
      if (exchange) exchange.failure = failureNote(error) ?? "refused by the router";
      return errorResponse(error);
    }
    if (allowed === undefined) return fail(404, "no such path; the document is at /swagger");
    if (request.method === "OPTIONS")
      return new Response(null, { status: 204, headers: { allow: allowed } });
    return fail(405, `this path takes ${allowed}`, { headers: { allow: allowed } });
  }

  async function dispatch(request: Request): Promise<[Response, OpenExchange | undefined]> {
    const url = readUrl(request);
    if (url === undefined) return [fail(400, "the Host header is missing or malformed"), undefined];
    const routable = routableRequest(request, url);
    const exchange: OpenExchange = { request: routable, url, params: {} };
    exchanges.set(routable, exchange);
    return [await elysia.fetch(routable), exchange];
  }

  return {
    fetch: async (request) => {
      const startedAt = performance.now();
      const [response, exchange] = await dispatch(request);
      const requestId = requestIdOf(request.headers);
      response.headers.set("x-request-id", requestId);
      const fields = {
        request_id: requestId,
        method: request.method,
        path: exchange?.url.pathname.slice(0, MAX_LOGGED_PATH),
        status: response.status,
        ms: Math.round((performance.now() - startedAt) * 10) / 10,
        app_key: exchange?.appKey,
        error: exchange?.failure,
      };
      logger?.[levelOf(response.status, fields.path)](fields, "request");
      return response;
    },
  };
}

function methodsOf(route: Route): string[] {
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

/** Undefined where no route is. */
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

function isNotFound(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "NOT_FOUND";
}

/** Probes come every few seconds and would drown the rest. */
const PROBE_PATHS: readonly (string | undefined)[] = ["/healthz", "/readyz"];

/** A defect is an error; not being able to accept is somebody else's, and expected. */
function levelOf(status: number, path: string | undefined): "debug" | "info" | "warn" | "error" {
  if (PROBE_PATHS.includes(path)) return "debug";
  if (status < 500) return "info";
  return status === 503 ? "warn" : "error";
}

/** The caller's id when it is fit for a log, else a new one. */
function requestIdOf(headers: Headers): string {
  const given = headers.get("x-request-id") ?? "";
  return REQUEST_ID.test(given) ? given : crypto.randomUUID();
}
