// Sends one delivery over HTTP; whatever the receiver does, it ends in a verdict.

import type { AttemptError } from "../core/attempt.ts";
import { failpoint } from "../core/failpoints.ts";
import type { SuccessMatch } from "../core/task.ts";
import type { DeliveryLog } from "../core/views/delivery-log.ts";
import type { AddressGuard } from "./address-guard.ts";
import { type Connections, createConnections, type ReceiverConnection } from "./connections.ts";
import { takeNotes } from "./delivery-notes.ts";
import type { Destination } from "./destination.ts";
import { failure, failureOf, systemCodeOf } from "./failures.ts";
import { type JudgedAnswer, judgeAnswer } from "./judge-answer.ts";
import { requestText } from "./request-text.ts";
import type { Verdict } from "./verdict.ts";

/** A delivery ready to be sent. */
export interface Post {
  readonly to: Destination;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly match: SuccessMatch;
}

/** A delivery on its way. None of its promises ever rejects. */
export interface Delivery {
  readonly verdict: Promise<Verdict>;
  /** Settles when its connection is closed, or after a success is free for another delivery. */
  readonly released: Promise<void>;
  isReleased(): boolean;
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
  /** Monotonic ms: says how old the checks of kept connections are. Default: the process's own. */
  readonly clockMs?: () => number;
}

type Way = SenderDeps & { readonly connections: Connections };

/** Keeps connections to receivers open between deliveries; they only ever go to addresses the guard let pass. */
export function createSender(deps: SenderDeps): Sender {
  const clockMs = deps.clockMs ?? (() => performance.now());
  const connections = createConnections({ guard: deps.guard, clockMs });
  return {
    send: (post) => createDelivery({ ...deps, connections }, post),
    close: () => connections.close(),
  };
}

function createDelivery(way: Way, post: Post): Delivery {
  const { to } = post;
  const notes = takeNotes({ shownUrl: to.shownUrl, headers: post.headers });
  const verdict = Promise.withResolvers<Verdict>();
  const released = Promise.withResolvers<void>();
  let current: ReceiverConnection | null = null;
  let answer = newAnswer();
  /** Sent once more because a kept connection was dead: this receiver does not keep them for long. */
  let isSecond = false;
  let isConcluded = false;
  let isAborted = false;
  let isReleased = false;
  let isSent = false;

  function newAnswer(): JudgedAnswer {
    const { host } = to;
    return judgeAnswer({ host, match: post.match, notes, nowMs: way.nowMs, conclude });
  }

  /** The first verdict stands. */
  function conclude(judged: Verdict): void {
    if (isConcluded) return;
    isConcluded = true;
    failpoint("callback-judged");
    verdict.resolve(judged);
    letGo();
  }

  function letGo(): void {
    if (isAborted || isSecond || !answer.canBeKept()) {
      current?.destroy();
      return;
    }
    current?.keep();
    release();
  }

  function release(): void {
    isReleased = true;
    released.resolve();
  }

  function begin(): void {
    try {
      const connection = way.connections.take(to, user, isSecond);
      current = connection;
      if (connection.isReused) send(connection);
      else limit = setTimeout(onLimit, way.connectLimitMs);
    } catch (thrown) {
      conclude({ error: failureOf(thrown, to.host) });
      release();
    }
  }

  let limit: ReturnType<typeof setTimeout> | undefined;
  function onLimit(): void {
    conclude({ error: tooSlow(to.host, way.connectLimitMs) });
  }

  function send(connection: ReceiverConnection): void {
    isSent = true;
    notes.connectedTo(connection.address());
    connection.send(requestText(post));
    failpoint("callback-sent");
  }

  const user = {
    onMoment: notes.note,
    onOpen: () => {
      clearTimeout(limit);
      if (current !== null) send(current);
    },
    onData: (chunk: Buffer) => answer.read(chunk),
    onEnd: () => answer.finish(),
    onClose: (error: Error | null) => {
      clearTimeout(limit);
      if (isStale(error)) {
        notes.restart();
        answer = newAnswer();
        isSecond = true;
        begin();
        return;
      }
      answer.stop();
      conclude({ error: closedFailure(error, to.host) });
      release();
    },
  };

  /** The receiver closed a kept connection just when we used it: no fault of anybody, so it is sent once more. */
  function isStale(error: Error | null): boolean {
    if (isAborted || isConcluded || current?.isReused !== true || answer.hasBegun()) return false;
    return error === null || /^(ECONNRESET|EPIPE)$/.test(systemCodeOf(error));
  }

  begin();
  return {
    verdict: verdict.promise,
    released: released.promise,
    isReleased: () => isReleased,
    abort: () => {
      isAborted = true;
      // A released connection may carry another delivery by now.
      if (!isReleased) current?.destroy();
    },
    log: () => notes.toLog(),
    isSent: () => isSent,
  };
}

function closedFailure(error: Error | null, host: string): AttemptError {
  if (error !== null) return failureOf(error, host);
  return failure("connection_closed", `${host} closed the connection`);
}

function tooSlow(host: string, limitMs: number): AttemptError {
  return failure("connect_failed", `${host}: no connection within ${limitMs} ms`);
}
