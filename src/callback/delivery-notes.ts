// Takes notes of a delivery while it happens, and makes of them what is kept.
import { remember } from "../core/remember.ts";
import type { DeliveryLog } from "../core/views/delivery-log.ts";
import { wholeOf } from "./whole-of.ts";

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

/** What is known of a delivery before it begins. */
export interface Sent {
  /** Without the values of its query. */
  readonly shownUrl: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** Of a delivery that begins now. */
export function takeNotes(sent: Sent): DeliveryNotes {
  const startedMs = performance.now();
  let moments: Partial<Record<Moment, number>> = {};
  const chunks: Buffer[] = [];
  let address: string | null = null;
  let status: number | null = null;
  let headers: Headers = {};
  let bytes = 0;

  function timings(): DeliveryLog["timings"] {
    const { resolving, resolved, connecting, connected, secured, answered } = moments;
    return {
      dns: between(resolving, resolved),
      connect: between(resolved ?? connecting, connected),
      tls: between(connected, secured),
      first_byte: between(startedMs, answered),
      total: rounded(performance.now() - startedMs),
    };
  }

  return {
    note: (moment) => {
      moments[moment] ??= performance.now();
    },
    restart: () => {
      moments = {};
    },
    connectedTo: (to) => {
      address = to ?? address;
    },
    answered: (head) => {
      status = head.status;
      headers = head.headers;
    },
    heard: (chunk) => {
      const left = MOST_BODY_BYTES - bytes;
      if (left > 0) chunks.push(chunk.byteLength > left ? chunk.subarray(0, left) : chunk);
      bytes += chunk.byteLength;
    },
    isFull: () => bytes >= MOST_BODY_BYTES,
    toLog: () => ({
      url: sent.shownUrl,
      address,
      timings: timings(),
      status,
      request_headers: shownHeaders(sent.headers),
      response_headers: shownHeaders(headers),
      response_body: withoutSecrets(wholeOf(chunks), sent.headers),
      response_truncated: bytes > MOST_BODY_BYTES,
    }),
  };
}

function between(startMs: number | undefined, endMs: number | undefined): number | null {
  return startMs === undefined || endMs === undefined ? null : rounded(endMs - startMs);
}

/** The same few names come with every delivery. */
const MOST_REMEMBERED = 1_000;
const isSecretName = remember((name: string) => SECRET_NAME.test(name), MOST_REMEMBERED);

function isSecret(name: string): boolean {
  return name.length < 64 ? isSecretName(name) : SECRET_NAME.test(name);
}

function rounded(ms: number): number {
  return Math.round(ms * 10) / 10;
}

function shownHeaders(headers: Headers): Record<string, string> {
  const shown: Record<string, string> = {};
  let left = MOST_HEADERS;
  for (const name of Object.keys(headers)) {
    if (left === 0) break;
    left -= 1;
    shown[capped(name)] = isSecret(name) ? REDACTED : capped(String(headers[name]));
  }
  return shown;
}

function capped(text: string): string {
  return text.length > MOST_VALUE_LENGTH ? text.slice(0, MOST_VALUE_LENGTH) : text;
}

/** A receiver that echoes what it got would put our signature into what is kept. */
function withoutSecrets(body: Buffer, sent: Readonly<Record<string, string>>): string {
  let text = body.toString("utf8");
  for (const name of Object.keys(sent)) {
    if (isSecret(name)) text = without(sent[name] ?? "", text);
  }
  return text;
}

/** @param values separated by spaces */
function without(values: string, text: string): string {
  if (values.length > text.length && !values.includes(" ")) return text;
  const inText = values.split(" ").filter((value) => value !== "" && value.length <= text.length);
  return inText.reduce((rest, value) => rest.replaceAll(value, REDACTED), text);
}
