// Reads a request's URL, which servers join from a Host header nobody has checked.
const HOST = /^(?:[a-z0-9._-]+|\[[0-9a-f:.]+\])(?::\d{1,5})?$/i;
/** Elysia looks for the path from this character on: after a shorter host it would find the wrong one. */
const ROUTER_SKIPS = 11;

/** These cannot be asked with a Request of our own making, and no route takes them. */
const UNROUTABLE: ReadonlySet<string> = new Set(["CONNECT", "TRACE", "TRACK"]);

/** The URL of a request; undefined when its Host header is missing or malformed. */
export function readUrl(request: Request): URL | undefined {
  const host = request.headers.get("host");
  // Without the header (HTTP/1.0, or a request made in this process) the URL itself says whether there is a host.
  if (host !== null && !HOST.test(host)) return undefined;
  const url = URL.parse(request.url);
  return url?.protocol.startsWith("http") ? url : undefined;
}

/** The request as the router needs it; undefined when no router can take it. */
export function routableRequest(request: Request, url: URL): Request | undefined {
  if (UNROUTABLE.has(request.method)) return undefined;
  const pathAt = request.url.indexOf("/", url.protocol.length + 2);
  if (pathAt >= ROUTER_SKIPS) return request;
  return new Request(`http://localhost${url.pathname}${url.search}`, request);
}
