// Says what is wrong with an application's linkUrl before anything is sent there.
import { isIP } from "node:net";
import { readAllowedHosts } from "./allowed-hosts.ts";
import { portOf } from "./host-port.ts";
import { isPublic, realAddress } from "./public-address.ts";

const LEAST_FREE_PORT = 1_024;
/** What a local name may stand for; all of them have to be fit. */
const LOOPBACK = ["127.0.0.1", "::1"];

/** Completes "linkUrl …"; null when callbacks may be sent there as far as the text can tell. */
export function linkUrlProblem(text: string, extraPorts: readonly number[]): string | null {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || !/^https?:$/.test(url.protocol)) return "must be an http:// or https:// URL";
  if (url.username !== "" || url.password !== "" || hasUserinfo(text)) {
    return "must have no user name or password in it";
  }
  const port = portOf(url);
  if (port === 80 || port === 443 || port >= LEAST_FREE_PORT || extraPorts.includes(port)) {
    return null;
  }
  return `must use port 80, 443 or one from ${LEAST_FREE_PORT} on (CALLBACK_PORTS allows more), not ${port}`;
}

/** What may be reached although it is not public. */
interface Reachable {
  /** CALLBACK_ALLOW; null: unset. */
  readonly callbackAllow: readonly string[] | null;
  readonly allowsLoopback: boolean;
}

/** What its owner should know although it is taken; null when there is nothing to say. */
export function linkUrlWarning(text: string, reachable: Reachable): string | null {
  const host = bareHost(new URL(text));
  const isLocalName = /^(.*\.)?localhost\.?$/.test(host);
  if (!isLocalName && (isIP(host) === 0 || isPublic(realAddress(host)))) return null;
  const addresses = (isLocalName ? LOOPBACK : [host]).map(realAddress);
  const allowed = readAllowedHosts(reachable.callbackAllow);
  if (allowed.hasName(host) || addresses.every(allowed.hasAddress)) return null;
  const what = `linkUrl names ${host}, which is not a public address`;
  return reachable.allowsLoopback && addresses.every((address) => address?.range() === "loopback")
    ? `${what}: callbacks are sent there because the embedded shape serves on loopback, for trying out; elsewhere CALLBACK_ALLOW must name it`
    : `${what}: callbacks are refused there unless CALLBACK_ALLOW names it`;
}

/** The host without the brackets of IPv6. */
export function bareHost(url: URL): string {
  return url.hostname.replace(/^\[(.*)\]$/, "$1");
}

// `http://@host/` has an empty user name that the parsed URL no longer shows.
function hasUserinfo(text: string): boolean {
  return /^https?:[/\\]*[^/\\?#]*@/i.test(text.trim());
}
