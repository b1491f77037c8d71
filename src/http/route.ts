// What a route is: data about one path, and the function that handles it.
import type { Operation } from "./operation.ts";

/** One request on its way through the server, with what its log line will say. */
export interface Exchange {
  readonly request: Request;
  readonly url: URL;
  /** What stands in the path where the route has `:name`. */
  readonly params: Readonly<Record<string, string>>;
  /** Set once the caller is known. */
  appKey?: string;
  /** Set once the body was read to its end: what is left of another one would be read as the next request. */
  isBodyRead?: boolean;
}

export interface Route {
  /** A GET route handles HEAD too. */
  readonly method: "GET" | "POST";
  /** `:name` takes one segment. */
  readonly path: string;
  /** Its part of the OpenAPI document; without it the route is not listed. */
  readonly operation?: Operation;
  /** The WWW-Authenticate header of its 401. */
  readonly challenge?: string;
  /** How an AppError is answered: in the envelope (default), or as problem+json (RFC 9457). */
  readonly failures?: "envelope" | "problem";
  /** May throw an AppError. */
  answer(exchange: Exchange): Response | Promise<Response>;
}
