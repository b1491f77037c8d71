// The one shape of every response: {code, msg, data} as JSON.
import { wellFormedJson } from "../core/well-formed.ts";

/** Code 0 is success; every failure has code 1, whatever its HTTP status. */
export interface Envelope {
  readonly code: 0 | 1;
  readonly msg: string;
  readonly data: unknown;
}

type Headers = Readonly<Record<string, string>>;

const JSON_HEADERS: Headers = {
  "content-type": "application/json; charset=utf-8",
  "cache-control": "no-store",
  "x-content-type-options": "nosniff",
};

/** A success; the original API says "ok!" almost everywhere. */
export function succeed(data: unknown, msg = "ok!"): Response {
  return respond(200, { code: 0, msg, data });
}

/** The data of a response with warnings to its caller; a list, which the original's refusals have, stays as it is. */
export function warned(data: object, warnings: readonly string[]): object {
  if (warnings.length === 0 || Array.isArray(data)) return data;
  const { warnings: own = [] } = data as { readonly warnings?: readonly string[] };
  return { ...data, warnings: [...own, ...warnings] };
}

/** A business failure: HTTP 200 with code 1, as in the original API. */
export function refuse(msg: string, data: unknown = []): Response {
  return respond(200, { code: 1, msg, data });
}

/** Any other failure. */
export function fail(
  status: number,
  msg: string,
  more: { readonly data?: unknown; readonly headers?: Headers } = {},
): Response {
  return respond(status, { code: 1, msg, data: more.data ?? [] }, more.headers);
}

/** An envelope with its status. */
export function respond(status: number, envelope: Envelope, headers: Headers = {}): Response {
  return new Response(`${wellFormedJson(JSON.stringify(envelope))}\n`, {
    status,
    headers: { ...JSON_HEADERS, ...headers },
  });
}
