// Takes notes of a delivery while it happens, and makes of them what is kept.
import type { DeliveryLog } from "../core/delivery-log.ts";

const MOST_BODY_BYTES = 4 * 1024;
const MOST_HEADERS = 100;
const MOST_VALUE_LENGTH = 512;
const REDACTED = "[redacted]";
const SECRET_NAME = /authorization|cookie|signature|secret|token|password|api-?key/i;

type Headers = Readonly<Record<string, string | readonly string[] | undefined>>;
/** The moments that are noted, in the order in which they come. */
export type Moment = "resolving" | "resolved" | "connecting" | "connected" | "secured" | "answered";

export interface DeliveryNotes {
  /** Only the first of a kind counts. */
  note(moment: Moment): void;
  /** Begins again: the connection that was kept turned out dead. */
  restart(): void;
  connectedTo(address: string | undefined): void;
  answered(head: { readonly status: number; readonly headers: Headers }): void;
  /** Some of the answer's body. */
  heard(chunk: Buffer): void;
  /** True when more of the body would not be kept. */
  isFull(): boolean;
  toLog(): DeliveryLog;
}

/** Of a delivery that begins now. */
export function takeNotes(url: URL, sent: Readonly<Record<string, string>>): DeliveryNotes {
  const startedMs = performance.now();
  const moments = new Map<Moment, number>();
  const chunks: Buffer[] = [];
  let address: string | null = null;
  let status: number | null = null;
  let headers: Headers = {};
  let bytes = 0;

  function between(from: Moment, to: Moment): number | null {
    const [start, end] = [moments.get(from), moments.get(to)];
    return start === undefined || end === undefined ? null : rounded(end - start);
  }

  function timings(): DeliveryLog["timings"] {
    const answeredMs = moments.get("answered");
    return {
      dns: between("resolving", "resolved"),
      connect: between(moments.has("resolved") ? "resolved" : "connecting", "connected"),
      tls: between("connected", "secured"),
      first_byte: answeredMs === undefined ? null : rounded(answeredMs - startedMs),
      total: rounded(performance.now() - startedMs),
    };
  }

  return {
    note: (moment) => {
      if (!moments.has(moment)) moments.set(moment, performance.now());
    },
    restart: () => moments.clear(),
    connectedTo: (to) => {
      address = to ?? address;
    },
    answered: (head) => {
      status = head.status;
      headers = head.headers;
    },
    heard: (chunk) => {
      if (bytes < MOST_BODY_BYTES) chunks.push(chunk.subarray(0, MOST_BODY_BYTES - bytes));
      bytes += chunk.byteLength;
    },
    isFull: () => bytes >= MOST_BODY_BYTES,
    toLog: () => ({
      url: shownUrl(url),
      address,
      timings: timings(),
      status,
      request_headers: shownHeaders(sent),
      response_headers: shownHeaders(headers),
      response_body: withoutSecrets(Buffer.concat(chunks), sent),
      response_truncated: bytes > MOST_BODY_BYTES,
    }),
  };
}

/** The same few names come with every delivery. */
const secretNames = new Map<string, boolean>();
const MOST_REMEMBERED = 1_000;

function isSecret(name: string): boolean {
  const known = secretNames.get(name);
  if (known !== undefined) return known;
  const is = SECRET_NAME.test(name);
  if (secretNames.size < MOST_REMEMBERED && name.length < 64) secretNames.set(name, is);
  return is;
}

function rounded(ms: number): number {
  return Math.round(ms * 10) / 10;
}

/** A query often carries a token; its names help, its values do not. */
function shownUrl(url: URL): string {
  const names = [...new URLSearchParams(url.search).keys()].map(encodeURIComponent);
  const query = names.length === 0 ? "" : `?${names.map((name) => `${name}=`).join("&")}`;
  return `${url.protocol}//${url.host}${url.pathname}${query}`;
}

function shownHeaders(headers: Headers): Record<string, string> {
  const shown = Object.entries(headers).slice(0, MOST_HEADERS);
  return Object.fromEntries(
    shown.map(([name, value]) => {
      const text = isSecret(name) ? REDACTED : String(value).slice(0, MOST_VALUE_LENGTH);
      return [name.slice(0, MOST_VALUE_LENGTH), text];
    }),
  );
}

/** A receiver that echoes what it got would put our signature into what is kept. */
function withoutSecrets(body: Buffer, sent: Readonly<Record<string, string>>): string {
  const secrets = Object.keys(sent).filter(isSecret);
  const values = secrets.flatMap((name) => (sent[name] ?? "").split(" "));
  return values
    .filter((value) => value.length > 0)
    .reduce((text, value) => text.replaceAll(value, REDACTED), body.toString("utf8"));
}
