// The rules a setting's text must keep: each says itself in words and turns the text into a value.
import { isIP } from "node:net";
import ipaddr from "ipaddr.js";
import { nearest } from "./nearest.ts";

/** `undefined` for a text that breaks the rule; `nearest` then names what may have been meant. */
export interface Rule<T> {
  /** Completes "must be …". */
  readonly text: string;
  parse(text: string): T | undefined;
  nearest?(text: string): string | undefined;
}

export function wholeNumber(min: number, max: number): Rule<number> {
  return {
    text: `a whole number from ${min} to ${max}`,
    parse(text) {
      if (!/^\d{1,15}$/.test(text)) return undefined;
      const value = Number(text);
      return value >= min && value <= max ? value : undefined;
    },
  };
}

/** More than nothing, at most all. */
export function fraction(): Rule<number> {
  return {
    text: "a number above 0, up to 1",
    parse(text) {
      if (!/^(?:[01]|[01]?\.\d{1,6})$/.test(text)) return undefined;
      const value = Number(text);
      return value > 0 && value <= 1 ? value : undefined;
    },
  };
}

const LONGEST_AHEAD_MS = 366 * 86_400_000;

/** A day whose first moment in UTC is at most a year ahead, as epoch ms. */
export function nearDay(): Rule<number> {
  return {
    text: "a date such as 2027-01-31, at most a year ahead",
    parse(text) {
      const day = new Date(`${text}T00:00:00Z`);
      // Not all engines refuse the 31st of a short month.
      if (Number.isNaN(day.getTime()) || !day.toISOString().startsWith(`${text}T`))
        return undefined;
      return day.getTime() <= Date.now() + LONGEST_AHEAD_MS ? day.getTime() : undefined;
    },
  };
}

export function oneOfTexts<const T extends string>(...words: readonly T[]): Rule<T> {
  return {
    text: `one of ${words.join(", ")}`,
    parse: (text) => words.find((word) => word === text),
    nearest: (text) => nearest(text.toLowerCase(), words),
  };
}

/** A switch. Both spellings, because compose files and shells write 1 where people write on. */
export function onOff(): Rule<boolean> {
  const words = new Map([
    ["on", true],
    ["1", true],
    ["true", true],
    ["off", false],
    ["0", false],
    ["false", false],
  ]);
  return {
    text: "on or off (also 1, 0, true, false)",
    parse: (text) => words.get(text),
    nearest: (text) => nearest(text.toLowerCase(), ["on", "off", "true", "false"]),
  };
}

export function anyPath(): Rule<string> {
  return { text: "a path", parse: (text) => (text.includes("\0") ? undefined : text) };
}

const hostNamePattern = /^(?!-)[a-z0-9-]{1,63}(\.[a-z0-9-]{1,63})*\.?$/i;

function isHost(text: string): boolean {
  // All digits and dots is an address or a mistake, never a name.
  if (/^[\d.]+$/.test(text)) return isIP(text) === 4;
  return isIP(text) !== 0 || (text.length <= 253 && hostNamePattern.test(text));
}

export function hostToListenOn(): Rule<string> {
  return {
    text: "an IP address or a host name",
    parse(text) {
      const bare = text.replace(/^\[(.*)\]$/, "$1");
      return isHost(bare) ? bare : undefined;
    },
  };
}

export function sqliteOrMysqlUrl(): Rule<DatabaseAddress> {
  return {
    text: "sqlite:path/to/file, or mysql://user:password@host:port/database",
    parse: (text) => (text.startsWith("sqlite:") ? sqliteAddress(text) : mysqlAddress(text)),
  };
}

/** Where the store is; a sqlite path may still be relative. */
export type DatabaseAddress =
  | { readonly kind: "sqlite"; readonly path: string }
  | { readonly kind: "mysql"; readonly url: string };

function sqliteAddress(text: string): DatabaseAddress | undefined {
  const path = text.slice("sqlite:".length).replace(/^\/\/(?=.)/, "");
  // The executor is another process: a database in memory would be a different one there.
  const isFile = path !== "" && !path.startsWith(":memory:") && !/[?\0]/.test(path);
  return isFile ? { kind: "sqlite", path } : undefined;
}

function mysqlAddress(text: string): DatabaseAddress | undefined {
  const url = parseUrl(text, ["mysql:"]);
  const hasDatabase = url !== undefined && /^\/[^/]+$/.test(url.pathname);
  return hasDatabase && url.username !== "" ? { kind: "mysql", url: text } : undefined;
}

export function redisUrl(): Rule<string> {
  return {
    text: "redis://host:port or rediss://host:port, with user:password@ and /database where needed",
    parse: (text) => (parseUrl(text, ["redis:", "rediss:"]) === undefined ? undefined : text),
  };
}

function parseUrl(text: string, protocols: readonly string[]): URL | undefined {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isFit = url !== undefined && protocols.includes(url.protocol) && url.hostname !== "";
  return isFit ? url : undefined;
}

/** `host:port`, comma-separated. */
export function addressList(): Rule<readonly string[]> {
  return list("a comma-separated list of host:port", isHostAndPort);
}

/** `host:port` or http URLs, comma-separated. */
export function httpAddressList(): Rule<readonly string[]> {
  const isFit = (item: string) =>
    isHostAndPort(item) || parseUrl(item, ["http:", "https:"]) !== undefined;
  return list("a comma-separated list of host:port or http://host:port", isFit);
}

function isHostAndPort(item: string): boolean {
  const match = /^(?:\[(?<ip6>[^\]]+)\]|(?<host>[^:]+)):(?<port>\d{1,5})$/.exec(item);
  const { ip6, host, port } = match?.groups ?? {};
  const isFit = ip6 === undefined ? isHost(host ?? "") : isIP(ip6) === 6;
  return isFit && Number(port) >= 1 && Number(port) <= 65_535;
}

/** What callbacks may reach although it is not public; `none` is the empty list. */
export function allowList(): Rule<readonly string[]> {
  const entries = list("", (item) => isHost(item) || ipaddr.isValidCIDR(item));
  return {
    text: "a comma-separated list of CIDRs, IP addresses and host names, or none",
    parse: (text) => (text === "none" ? [] : entries.parse(text)),
  };
}

/** Ports below 1024 that callbacks may use besides 80 and 443. */
export function portList(): Rule<readonly number[]> {
  const port = wholeNumber(1, 65_535);
  const texts = list("a comma-separated list of ports", (item) => port.parse(item) !== undefined);
  return { text: texts.text, parse: (text) => texts.parse(text)?.map(Number) };
}

function list(text: string, isFit: (item: string) => boolean): Rule<readonly string[]> {
  return {
    text,
    parse(listed) {
      const items = listed
        .split(",")
        .map((item) => item.trim())
        .filter((item) => item !== "");
      return items.length > 0 && items.every(isFit) ? items : undefined;
    },
  };
}

/**
 * A name that nsqd takes with the lane's suffix behind it (64 characters in all). At any other it would close the
 * connection, with all that is under way on it.
 */
export function nsqName(): Rule<string> {
  return {
    text: "1 to 48 characters out of A-Z a-z 0-9 . _ -",
    parse: (text) => (/^[.\w-]{1,48}$/.test(text) ? text : undefined),
  };
}

export function timezone(): Rule<string> {
  return {
    text: "an IANA time zone such as Asia/Shanghai",
    parse: (text) => (isTimezone(text) ? text : undefined),
    nearest: (text) => nearest(text, ["UTC", ...Intl.supportedValuesOf("timeZone")]),
  };
}

function isTimezone(text: string): boolean {
  // Offsets such as +08:00 are taken by Intl too, but know no summer time.
  if (!/^[A-Za-z]/.test(text)) return false;
  try {
    new Intl.DateTimeFormat("en", { timeZone: text });
    return true;
  } catch {
    return false;
  }
}

/** Goes into an Authorization header, so nothing a header cannot carry. */
export function bearerText(): Rule<string> {
  return {
    text: "visible ASCII characters without spaces",
    parse: (text) => (/^[\x21-\x7e]+$/.test(text) ? text : undefined),
  };
}

export function longText(minLength: number): Rule<string> {
  return {
    text: `a text of at least ${minLength} characters`,
    parse: (text) => (text.length >= minLength ? text : undefined),
  };
}
