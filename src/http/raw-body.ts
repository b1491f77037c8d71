// Reads the raw bytes of a request once, never more than the limit.
import { AppError } from "../core/errors.ts";

/**
 * The raw bytes of the body. Throws AppError `too_large` as soon as the limit is passed, also while the client is
 * still sending, and `invalid` when the client leaves before the end.
 */
export async function readBody(request: Request, maxBytes: number): Promise<Uint8Array> {
  const declared = request.headers.get("content-length");
  if (Number(declared ?? 0) > maxBytes) throw tooLarge(maxBytes);
  // With a length the server has bounded the body already, and reading it at once is the fast way.
  const bytes = await (declared === null
    ? readChunks(request.body, maxBytes)
    : request.bytes().catch(refuseTorso));
  if (bytes.byteLength > maxBytes) throw tooLarge(maxBytes);
  return bytes;
}

async function readChunks(
  body: ReadableStream<Uint8Array> | null,
  maxBytes: number,
): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  if (body === null) return new Uint8Array();
  const reader = body.getReader();
  let length = 0;
  for (;;) {
    const { done, value } = await reader.read().catch(refuseTorso);
    if (done) return Buffer.concat(chunks, length);
    chunks.push(value);
    length += value.byteLength;
    if (length > maxBytes) {
      // Nobody waits for the rest; a client that is gone already makes cancelling fail, and that is fine.
      reader.cancel().catch(() => undefined);
      throw tooLarge(maxBytes);
    }
  }
}

function tooLarge(maxBytes: number): AppError {
  return new AppError("too_large", `the body must be at most ${maxBytes} bytes`);
}

function refuseTorso(cause: unknown): never {
  throw new AppError("invalid", "the body ended before it was complete", { cause });
}
