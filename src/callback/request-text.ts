// Writes a delivery as an HTTP/1.1 request.
import type { Destination } from "./destination.ts";

export interface Request {
  readonly to: Destination;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** What no header's value may hold: a line end would begin another header, and other letters have no one encoding. */
const NOT_IN_VALUES = /[^\t\x20-\x7e]/;

/** In one piece, so that it leaves in one packet when it is small; in UTF-8. Throws when a header cannot be sent. */
export function requestText({ to, headers, body }: Request): string {
  let head = to.requestStart;
  let values = "";
  for (const name of Object.keys(headers)) {
    const value = headers[name] ?? "";
    values += value;
    head += `${name}: ${value}\r\n`;
  }
  if (NOT_IN_VALUES.test(values)) throw new Error("a header of this delivery cannot be sent");
  return `${head}connection: keep-alive\r\n\r\n${body}`;
}
