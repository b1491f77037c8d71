// The streams that are open in this process: how many, how fast their readers are, and how they end.
import { messageOf } from "../core/errors.ts";
import type { Logger } from "../core/logger.ts";
import { within } from "../core/within.ts";
import type { StreamItem } from "../use-cases/task-events.ts";
import { commentText, eventText } from "./event-text.ts";
import { createStreamPlaces, refusal, type StreamHolder } from "./stream-places.ts";

export interface EventStreamsOptions {
  readonly logger: Logger;
  /** Streams at once, half of them for one application; more are refused. */
  readonly most?: number;
  readonly heartbeatMs?: number;
  /** A reader that takes nothing for this long is dropped. */
  readonly patienceMs?: number;
  /** The oldest a stream gets: its reader is told to come again. */
  readonly mostAgeMs?: number;
}

/** What one stream shows, and to whom. */
export interface StreamOrder {
  readonly holder: StreamHolder;
  readonly watch: WatchItems;
  readonly headers: Readonly<Record<string, string>>;
}

/** Gives the items of one stream until the signal fires. */
export type WatchItems = (signal: AbortSignal) => AsyncIterable<StreamItem>;

export interface EventStreams {
  /** Throws AppError `unavailable` when there are too many, or the process is stopping. */
  open(order: StreamOrder): Response;
  /** Ends all of them with a comment: their clients connect again, to another process. */
  close(): void;
}

const MOST_STREAMS = 500;
const HEARTBEAT_MS = 10_000;
const PATIENCE_MS = 10_000;
/** Bytes that may wait for the socket. */
const MOST_WAITING = 65_536;
const MOST_AGE_MS = 3_600_000;
/** What EventSource waits before it connects again. */
const RETRY_MS = 1_000;

export const STREAM_HEADERS: Readonly<Record<string, string>> = {
  "content-type": "text/event-stream; charset=utf-8",
  "cache-control": "no-store",
  "x-content-type-options": "nosniff",
  // Proxies must pass each event on as it comes.
  "x-accel-buffering": "no",
};

export function createEventStreams(options: EventStreamsOptions): EventStreams {
  const { logger, most = MOST_STREAMS } = options;
  const places = createStreamPlaces(most);
  const open = new Set<Stream>();
  let isClosed = false;

  return {
    open({ holder, watch, headers }) {
      if (isClosed) throw refusal("this process is stopping");
      const leave = places.take(holder);
      const stream = createStream(watch, options);
      open.add(stream);
      stream.ended
        .catch((thrown: unknown) => logger.warn({ error: messageOf(thrown) }, "a stream was cut"))
        .finally(() => {
          open.delete(stream);
          leave();
        });
      return new Response(stream.body, { headers: { ...STREAM_HEADERS, ...headers } });
    },
    close() {
      isClosed = true;
      for (const stream of open) stream.stop("this process is stopping, connect again");
    },
  };
}

interface Stream {
  readonly body: ReadableStream<Uint8Array>;
  /** Settles when it is over; rejects when what it shows could not be read. */
  readonly ended: Promise<void>;
  stop(comment: string): void;
}

function createStream(watch: WatchItems, options: EventStreamsOptions): Stream {
  const { heartbeatMs = HEARTBEAT_MS, patienceMs = PATIENCE_MS } = options;
  const { mostAgeMs = MOST_AGE_MS } = options;
  const aborter = new AbortController();
  const pipe = createPipe(() => aborter.abort());
  const heartbeat = setInterval(() => pipe.offer(commentText("still here")), heartbeatMs);
  const age = setTimeout(() => {
    stop(eventText({ kind: "reset", reason: "old" }));
  }, mostAgeMs);

  async function pump(): Promise<void> {
    pipe.put(`retry: ${RETRY_MS}\n\n`);
    for await (const item of watch(aborter.signal)) {
      if (aborter.signal.aborted) return;
      if (!(await pipe.hasRoom(patienceMs))) {
        pipe.put(eventText({ kind: "reset", reason: "slow-reader" }));
        return;
      }
      pipe.put(eventText(item));
    }
  }

  function stop(lastWords: string): void {
    pipe.put(lastWords);
    pipe.close();
    aborter.abort();
  }

  const ended = pump().finally(() => {
    clearInterval(heartbeat);
    clearTimeout(age);
    aborter.abort();
    pipe.close();
  });
  return { body: pipe.body, ended, stop: (comment) => stop(commentText(comment)) };
}

interface Pipe {
  readonly body: ReadableStream<Uint8Array>;
  put(text: string): void;
  /** Only when nothing waits already. */
  offer(text: string): void;
  /** True once the reader takes more, false when it did not within `waitMs`. */
  hasRoom(waitMs: number): Promise<boolean>;
  close(): void;
}

/** Text into a response that is read at the pace of its socket. */
function createPipe(onGone: () => void): Pipe {
  const encoder = new TextEncoder();
  let controller: ReadableStreamDefaultController<Uint8Array> | null = null;
  let wake: (isRoom: boolean) => void = () => undefined;
  const body = new ReadableStream<Uint8Array>(
    {
      start: (given) => {
        controller = given;
      },
      pull: () => wake(true),
      cancel: () => {
        controller = null;
        wake(true);
        onGone();
      },
    },
    new ByteLengthQueuingStrategy({ highWaterMark: MOST_WAITING }),
  );
  const isFree = () => controller === null || (controller.desiredSize ?? 0) > 0;
  const put = (text: string) => controller?.enqueue(encoder.encode(text));

  return {
    body,
    put,
    offer: (text) => isFree() && put(text),
    async hasRoom(waitMs) {
      if (isFree()) return true;
      const { promise, resolve } = Promise.withResolvers<boolean>();
      wake = resolve;
      return (await within(promise, waitMs)) === true;
    },
    close() {
      controller?.close();
      controller = null;
    },
  };
}
