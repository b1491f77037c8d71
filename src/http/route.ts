// What a route is: data about one path, and the function that answers it.
import type { Operation } from "./operation.ts";

/** One request on its way through the server, with what its log line will say. */
export interface Exchange {
  readonly request: Request;
  readonly url: URL;
  /** Set once the caller is known. */
  appKey?: string;
}

export interface Route {
  /** A GET answers HEAD too. */
  readonly method: "GET" | "POST";
  readonly path: string;
  /** Its part of the OpenAPI document; without it the route is not listed. */
  readonly operation?: Operation;
  /** The WWW-Authenticate header of its 401. */
  readonly challenge?: string;
  /** May throw; an AppError becomes its envelope. */
  answer(exchange: Exchange): Response | Promise<Response>;
}
