// Writes a delivery as the bytes of an HTTP/1.1 request.
import type { Destination } from "./destination.ts";

export interface Request {
  readonly to: Destination;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/** What no header's value may hold: a line end would begin another header. */
const NOT_IN_VALUES = /[^\t\x20-\x7e\x80-\xff]/;

/** In one piece, so that it leaves in one packet when it is small. Throws when a header cannot be sent. */
export function requestBytes({ to, headers, body }: Request): Buffer {
  let head = to.requestStart;
  let values = "";
  for (const name of Object.keys(headers)) {
    const value = headers[name] ?? "";
    values += value;
    head += `${name}: ${value}\r\n`;
  }
  if (NOT_IN_VALUES.test(values)) throw new Error("a header of this delivery cannot be sent");
  head += "connection: keep-alive\r\n\r\n";
  const bytes = Buffer.allocUnsafe(head.length + body.byteLength);
  bytes.write(head, 0, "latin1");
  body.copy(bytes, head.length);
  return bytes;
}
