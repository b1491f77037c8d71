// Where an application's deliveries go, worked out once per URL.
import { hostAndPort } from "../core/host-port.ts";
import { bareHost, linkUrlProblem } from "../core/link-url.ts";
import { remember } from "../core/remember.ts";

export interface Destination {
  /** `host` as in the URL, with its port where that is not the scheme's own. */
  readonly host: string;
  /** `name:port`, what a breaker belongs to. */
  readonly hostAndPort: string;
  /** Without the brackets of IPv6. */
  readonly hostname: string;
  readonly port: number;
  readonly isSecure: boolean;
  /** The request up to and including its Host header. */
  readonly requestStart: string;
  /** Without the values of its query; for what is kept. */
  readonly shownUrl: string;
}

const MOST_KNOWN = 1_000;

/** Finds the destination of a URL, or what is wrong with it: completes "linkUrl …". Remembers the last 1,000 or so. */
export function createDestinations(
  ports: readonly number[],
): (linkUrl: string) => Destination | string {
  return remember(
    (linkUrl) => linkUrlProblem(linkUrl, ports) ?? destinationOf(new URL(linkUrl)),
    MOST_KNOWN,
  );
}

function destinationOf(url: URL): Destination {
  const isSecure = url.protocol === "https:";
  return {
    host: url.host,
    hostAndPort: hostAndPort(url),
    hostname: bareHost(url),
    port: Number(url.port) || (isSecure ? 443 : 80),
    isSecure,
    // Parsed URLs hold no white space and no control characters: nothing here can begin a header of its own.
    requestStart: `POST ${url.pathname}${url.search} HTTP/1.1\r\nhost: ${url.host}\r\n`,
    shownUrl: shownUrl(url),
  };
}

/** A query often carries a token; its names help, its values do not. */
function shownUrl(url: URL): string {
  const names = [...new URLSearchParams(url.search).keys()].map(encodeURIComponent);
  const query = names.length === 0 ? "" : `?${names.map((name) => `${name}=`).join("&")}`;
  return `${url.protocol}//${url.host}${url.pathname}${query}`;
}
