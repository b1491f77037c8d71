// Reads a stream of server-sent events over a real socket, as a browser would, one event at a time.
import { patienceMs } from "./patience.ts";

/** One event; `comment` when it is a comment line. */
export interface SentEvent {
  readonly id?: string;
  readonly event?: string;
  readonly data?: string;
  readonly comment?: string;
}

export interface OpenStream {
  readonly response: Response;
  /** All that came so far, comments and `retry` left out. */
  readonly events: readonly SentEvent[];
  readonly comments: readonly string[];
  /** Reads until `isIt`; throws after a silence longer than tests wait, or at the end of the stream. */
  until(isIt: (event: SentEvent) => boolean, atLeastMs?: number): Promise<SentEvent>;
  /** Reads to the end of the stream. */
  toEnd(atLeastMs?: number): Promise<readonly SentEvent[]>;
  close(): Promise<void>;
}

export async function openStream(
  url: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<OpenStream> {
  const aborter = new AbortController();
  const response = await fetch(url, { headers, signal: aborter.signal });
  const reader = (response.body ?? new ReadableStream<Uint8Array>()).getReader();
  const decoder = new TextDecoder();
  const events: SentEvent[] = [];
  const comments: string[] = [];
  let rest = "";
  let taken = 0;

  /** False at the end of the stream. */
  async function readMore(atLeastMs?: number): Promise<boolean> {
    const timer = setTimeout(
      () => aborter.abort(new Error("the stream is silent")),
      patienceMs(atLeastMs),
    );
    const { done, value } = await reader.read().finally(() => clearTimeout(timer));
    if (done) return false;
    const blocks = (rest + decoder.decode(value, { stream: true })).split("\n\n");
    rest = blocks.pop() ?? "";
    for (const block of blocks) note(parseBlock(block));
    return true;
  }

  function note(event: SentEvent): void {
    if (event.comment !== undefined) comments.push(event.comment);
    if (event.event !== undefined) events.push(event);
  }

  return {
    response,
    events,
    comments,
    async until(isIt, atLeastMs) {
      for (;;) {
        const found = events.findIndex((event, index) => index >= taken && isIt(event));
        taken = found === -1 ? events.length : found + 1;
        const event = events[found];
        if (event !== undefined) return event;
        const isMore = await readMore(atLeastMs);
        if (!isMore) throw new Error(`the stream ended: ${JSON.stringify(events.slice(-3))}`);
      }
    },
    async toEnd(atLeastMs) {
      while (await readMore(atLeastMs));
      return events;
    },
    async close() {
      aborter.abort();
      await reader.cancel().catch(() => undefined);
    },
  };
}

function parseBlock(block: string): SentEvent {
  if (block.startsWith(":")) return { comment: block.slice(1).trim() };
  return Object.fromEntries(
    block.split("\n").map((line) => {
      const colon = line.indexOf(":");
      return [line.slice(0, colon), line.slice(colon + 1).trim()];
    }),
  );
}
