// An app of routes: Elysia finds the route; around it stand what every request gets, whatever becomes of it.

import { Elysia } from "elysia";
import { AppError } from "../core/errors.ts";
import { failpoint } from "../core/failpoints.ts";
import type { Logger } from "../core/logger.ts";
import { fail } from "./envelope.ts";
import { errorResponse, failureNote } from "./errors.ts";
import { problemResponse } from "./problem.ts";
import { createRefusalLog } from "./refusal-log.ts";
import { readUrl, routableRequest } from "./request-url.ts";
import type { Exchange, Route } from "./route.ts";
import { createUnrouted, methodsOf } from "./unrouted.ts";

/** An edge-style app: give it a request, get a response; it never rejects. */
export interface HttpApp {
  fetch(request: Request): Promise<Response>;
}

/** An exchange while it is answered. */
interface OpenExchange extends Exchange {
  params: Exchange["params"];
  failure?: string;
}

/** What the router knows of a request. */
interface Routed {
  readonly request: Request;
  readonly params: Readonly<Record<string, string>>;
}

const REQUEST_ID = /^[\x21-\x7e]{1,64}$/;
/** Load balancers ask every few seconds and would drown the rest. */
const PROBE_PATHS: ReadonlySet<string> = new Set(["/healthz", "/readyz"]);
const MAX_LOGGED_PATH = 200;

/** Serves the routes. Each request gets an X-Request-Id, the envelope and one log line. */
export function createApp(routes: readonly Route[], logger?: Logger): HttpApp {
  // Elysia hands its own context to routes; what we know of a request finds them by the request.
  const exchanges = new WeakMap<Request, OpenExchange>();
  const answerUnrouted = createUnrouted(routes);
  const refusals = logger && createRefusalLog(logger);
  const elysia = new Elysia({ strictPath: true, normalize: false }).onError(({ error, request }) =>
    answerRouter(error, request),
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
      const refusal = error instanceof AppError ? error.details.refusal : undefined;
      if (refusal) refusals?.note({ appKey: exchange.appKey, ...refusal }, exchange.url.pathname);
      return noteFailure(exchange, error, route);
    }
  }

  /** Elysia found no route, or failed itself. */
  function answerRouter(error: unknown, request: Request): Response {
    const exchange = exchanges.get(request);
    if (exchange === undefined) return errorResponse(error);
    if (!isNotFound(error)) return noteFailure(exchange, error);
    return answerUnrouted(request.method, exchange.url.pathname);
  }

  async function dispatch(request: Request): Promise<[Response, OpenExchange | undefined]> {
    const url = readUrl(request);
    if (url === undefined) return [fail(400, "the Host header is missing or malformed"), undefined];
    const routable = routableRequest(request, url);
    const exchange: OpenExchange = { request: routable ?? request, url, params: {} };
    if (routable === undefined) return [answerUnrouted(request.method, url.pathname), exchange];
    exchanges.set(routable, exchange);
    return [await elysia.fetch(routable), exchange];
  }

  return {
    fetch: async (request) => {
      const startedAt = performance.now();
      const [response, exchange] = await dispatch(request);
      const requestId = requestIdOf(request.headers);
      response.headers.set("x-request-id", requestId);
      failpoint("response-made");
      const path = exchange?.url.pathname.slice(0, MAX_LOGGED_PATH);
      const fields = {
        request_id: requestId,
        method: request.method,
        path,
        status: response.status,
        ms: Math.round((performance.now() - startedAt) * 10) / 10,
        app_key: exchange?.appKey,
        error: exchange?.failure,
      };
      logger?.[levelOf(response.status, path)](fields, "request");
      return response;
    },
  };
}

function noteFailure(
  exchange: OpenExchange,
  error: unknown,
  route?: Pick<Route, "failures" | "challenge">,
): Response {
  const failure = failureNote(error);
  if (failure !== undefined) exchange.failure = failure;
  const respond = route?.failures === "problem" ? problemResponse : errorResponse;
  const response = respond(error, route?.challenge);
  // The rest of a body that is not wanted would be read as the next request.
  if (exchange.request.body !== null && exchange.isBodyRead !== true) {
    response.headers.set("connection", "close");
  }
  return response;
}

function isNotFound(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "NOT_FOUND";
}

/** A defect is an error; not being able to accept is somebody else's, and expected. */
function levelOf(status: number, path: string | undefined): keyof Logger {
  if (status >= 500 && status !== 503) return "error";
  if (path !== undefined && PROBE_PATHS.has(path)) return "debug";
  return status === 503 ? "warn" : "info";
}

/** The caller's id when it is fit for a log, else a new one. */
function requestIdOf(headers: Headers): string {
  const given = headers.get("x-request-id") ?? "";
  return REQUEST_ID.test(given) ? given : crypto.randomUUID();
}
