// Sends one delivery over HTTP; whatever the receiver does, it ends in a verdict.
import type { ClientRequest, IncomingMessage } from "node:http";
import type { LookupFunction } from "node:net";
import type { DeliveryLog } from "../core/delivery-log.ts";
import { bareHost } from "../core/link-url.ts";
import type { SuccessMatch } from "../core/task.ts";
import type { AddressGuard } from "./address-guard.ts";
import { type Connector, createConnector } from "./agents.ts";
import { type DeliveryNotes, takeNotes } from "./delivery-notes.ts";
import { codeOf, failure, failureOf } from "./failures.ts";
import {
  type AnswerHead,
  judgeBody,
  judgeHead,
  MOST_ANSWER_BYTES,
  type Verdict,
} from "./verdict.ts";

/** A delivery ready to be sent. */
export interface Post {
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  readonly match: SuccessMatch;
}

/** A delivery on its way. None of its promises ever rejects. */
export interface Delivery {
  readonly verdict: Promise<Verdict>;
  /** Settles when its connection is closed, or after a success is free for another delivery. */
  readonly released: Promise<void>;
  /** Closes its connection; a verdict that is not reached yet becomes one of failure. */
  abort(): void;
  /** What went over the wire so far; null when nothing was tried. */
  log(): DeliveryLog | null;
  /** True once the receiver may have heard the request. */
  isSent(): boolean;
}

export interface Sender {
  send(post: Post): Delivery;
  /** Closes idle connections. */
  close(): void;
}

export interface SenderDeps {
  readonly guard: AddressGuard;
  /** Epoch ms; dates in answers are compared with it. */
  readonly nowMs: () => number;
  /** From the beginning until the connection stands, TLS included. */
  readonly connectLimitMs: number;
}

/** How long a receiver that failed already may take to say why, for the log. */
const EXPLAIN_MS = 250;

type Way = SenderDeps & { readonly connector: Connector };

/** Keeps connections to receivers open between deliveries; they only ever go to addresses the guard let pass. */
export function createSender(deps: SenderDeps): Sender {
  const connector = createConnector();
  return {
    send: (post) => createDelivery({ ...deps, connector }, post),
    close: () => connector.close(),
  };
}

function createDelivery(way: Way, post: Post): Delivery {
  const { url } = post;
  const notes = takeNotes(url, post.headers);
  const verdict = Promise.withResolvers<Verdict>();
  const released = Promise.withResolvers<void>();
  let current: ClientRequest | null = null;
  let isConcluded = false;
  let isAborted = false;
  let isReleased = false;
  let isSent = false;

  /** The first verdict stands. */
  function conclude(judged: Verdict): void {
    if (isConcluded) return;
    isConcluded = true;
    verdict.resolve(judged);
    if (judged.error !== null) current?.destroy();
  }

  function release(): void {
    isReleased = true;
    released.resolve();
  }

  function begin(isFresh: boolean): void {
    try {
      way.guard.checkLiteral(bareHost(url));
      const lookup = noted(way.guard.lookup, notes);
      const request = way.connector.open({ url, headers: post.headers, lookup }, isFresh);
      current = request;
      follow(request);
      request.end(post.body);
    } catch (thrown) {
      conclude({ error: failureOf(thrown, url) });
      release();
    }
  }

  function follow(request: ClientRequest): void {
    let isStale = false;
    let isAnswered = false;
    const endLimit = limitConnecting(request, way.connectLimitMs, () =>
      conclude({ error: tooSlow(url, way.connectLimitMs) }),
    );
    noteSocket({ request, url, notes }, () => {
      endLimit();
      isSent = true;
    });
    request.on("response", (response) => {
      isAnswered = true;
      judge(response, { post, notes, conclude, nowMs: way.nowMs() });
    });
    request.on("upgrade", (_, socket) => {
      socket.destroy();
      conclude({ error: failure("status_not_2xx", `${url.host} answered 101`) });
    });
    request.on("error", (error) => {
      isStale = !isAborted && !isAnswered && wasClosedWhileIdle(request, error);
      if (!isStale) conclude({ error: failureOf(error, url) });
    });
    request.on("close", () => {
      endLimit();
      if (isStale && !isAborted) {
        notes.restart();
        return begin(true);
      }
      conclude({ error: failure("connection_closed", `${url.host} closed the connection`) });
      release();
    });
  }

  begin(false);
  return {
    verdict: verdict.promise,
    released: released.promise,
    abort: () => {
      isAborted = true;
      // A released connection may carry another delivery by now.
      if (!isReleased) current?.destroy();
    },
    log: () => notes.toLog(),
    isSent: () => isSent,
  };
}

/** The receiver closed a kept connection just when we used it: no fault of anybody, so it is sent once more. */
function wasClosedWhileIdle(request: ClientRequest, error: Error): boolean {
  return request.reusedSocket && /^(ECONNRESET|EPIPE)$/.test(codeOf(error));
}

function noted(lookup: LookupFunction, notes: DeliveryNotes): LookupFunction {
  return (hostname, options, callback) => {
    notes.note("resolving");
    lookup(hostname, options, (...answer) => {
      notes.note("resolved");
      callback(...answer);
    });
  };
}

function limitConnecting(request: ClientRequest, limitMs: number, onLimit: () => void): () => void {
  const timer = setTimeout(() => {
    onLimit();
    request.destroy();
  }, limitMs);
  return () => clearTimeout(timer);
}

function tooSlow(url: URL, limitMs: number) {
  return failure("connect_failed", `${url.host}: no connection within ${limitMs} ms`);
}

interface Noted {
  readonly request: ClientRequest;
  readonly url: URL;
  readonly notes: DeliveryNotes;
}

/** Notes the steps of a new connection; calls back when the request can go out. */
function noteSocket({ request, url, notes }: Noted, onConnected: () => void): void {
  request.once("socket", (socket) => {
    if (!socket.connecting) {
      notes.connectedTo(socket.remoteAddress);
      return onConnected();
    }
    notes.note("connecting");
    socket.once("connect", () => {
      notes.note("connected");
      notes.connectedTo(socket.remoteAddress);
      if (url.protocol === "http:") onConnected();
    });
    socket.once("secureConnect", () => {
      notes.note("secured");
      onConnected();
    });
  });
}

interface Judging {
  readonly post: Post;
  readonly notes: DeliveryNotes;
  readonly nowMs: number;
  readonly conclude: (judged: Verdict) => void;
}

function judge(response: IncomingMessage, { post, notes, nowMs, conclude }: Judging): void {
  const { host } = post.url;
  const head: AnswerHead = { status: response.statusCode ?? 0, headers: response.headers };
  notes.note("answered");
  notes.answered(head);
  response.on("error", (error) => conclude({ error: failureOf(error, post.url) }));
  const wrong = judgeHead(head, host, nowMs);
  if (wrong !== null) {
    hearReasons(response, notes, () => conclude(wrong));
    return;
  }
  const chunks: Buffer[] = [];
  let bytes = 0;
  response.on("data", (chunk: Buffer) => {
    notes.heard(chunk);
    bytes += chunk.byteLength;
    if (bytes > MOST_ANSWER_BYTES) conclude({ error: tooLarge(host) });
    else chunks.push(chunk);
  });
  response.on("end", () => {
    // A body that was cut off ends too; then the request's close tells the verdict.
    if (!response.complete) return;
    conclude(judgeBody(head, Buffer.concat(chunks), { host, match: post.match }));
  });
}

/** The verdict is known; what the receiver says about it is only for the log. */
function hearReasons(response: IncomingMessage, notes: DeliveryNotes, onHeard: () => void): void {
  const timer = setTimeout(onHeard, EXPLAIN_MS);
  response.on("data", (chunk: Buffer) => {
    notes.heard(chunk);
    if (notes.isFull()) onHeard();
  });
  response.on("end", onHeard);
  response.on("close", () => {
    clearTimeout(timer);
    onHeard();
  });
}

function tooLarge(host: string) {
  return failure("response_too_large", `${host} answered more than 64 KiB`);
}
