// Sends one delivery over HTTP and judges the answer; whatever the receiver does, it ends in a value.
import { Agent, type ClientRequest, type IncomingMessage, request as requestHttp } from "node:http";
import { request as requestHttps, Agent as SecureAgent } from "node:https";
import type { AttemptError } from "../core/attempt.ts";
import type { AddressGuard } from "./address-guard.ts";
import { codeOf, failure, failureOf } from "./failures.ts";

/** A delivery ready to be sent. */
export interface Post {
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/** Null: the receiver said `success`. */
export type Verdict = AttemptError | null;

/** A delivery on its way. Neither promise ever rejects. */
export interface Delivery {
  readonly verdict: Promise<Verdict>;
  /** Settles when its connection is closed, or after a success is free for another delivery. */
  readonly released: Promise<void>;
  /** Closes its connection; a verdict that is not reached yet becomes one of failure. */
  abort(): void;
}

export interface Sender {
  send(post: Post): Delivery;
  /** Closes idle connections. */
  close(): void;
}

const MOST_ANSWER_BYTES = 64 * 1024;
/** Below the 5 s after which Node's own servers close idle connections. */
const IDLE_MS = 4_000;

interface AgentPair {
  readonly http: Agent;
  readonly https: SecureAgent;
}

/** The two ways to connect: with connections kept for the next delivery, and for one delivery. */
interface Agents {
  readonly kept: AgentPair;
  readonly once: AgentPair;
}

/** Keeps connections to receivers open between deliveries; they only ever go to addresses the guard let pass. */
export function createSender(guard: AddressGuard): Sender {
  const agents: Agents = { kept: agentPair(canKeepConnections()), once: agentPair(false) };
  return {
    send: (post) => createDelivery({ guard, agents }, post),
    close: () => {
      agents.kept.http.destroy();
      agents.kept.https.destroy();
    },
  };
}

// On Deno 2.9 a request that is destroyed on a reused connection tells nobody, so there every delivery has its own.
function canKeepConnections(): boolean {
  return !("Deno" in globalThis);
}

function agentPair(keepAlive: boolean): AgentPair {
  // A proxy would connect in our place, past the guard: NODE_USE_ENV_PROXY must not bring one in (on Deno it does).
  const options = { keepAlive, proxyEnv: {}, ...(keepAlive && { timeout: IDLE_MS }) };
  return { http: new Agent(options), https: new SecureAgent(options) };
}

interface Way {
  readonly guard: AddressGuard;
  readonly agents: Agents;
}

function createDelivery({ guard, agents }: Way, post: Post): Delivery {
  const verdict = Promise.withResolvers<Verdict>();
  const released = Promise.withResolvers<void>();
  let current: ClientRequest | null = null;
  let isConcluded = false;
  let isAborted = false;
  let isReleased = false;

  /** The first verdict stands. */
  function conclude(judged: Verdict): void {
    if (isConcluded) return;
    isConcluded = true;
    verdict.resolve(judged);
    if (judged !== null) current?.destroy();
  }

  function release(): void {
    isReleased = true;
    released.resolve();
  }

  function begin(pair: AgentPair): void {
    try {
      guard.checkLiteral(bareHost(post.url));
      const request = openRequest(guard, pair, post);
      current = request;
      follow(request);
      request.end(post.body);
    } catch (thrown) {
      conclude(failureOf(thrown, post.url));
      release();
    }
  }

  function follow(request: ClientRequest): void {
    let isStale = false;
    let isAnswered = false;
    request.on("response", (response) => {
      isAnswered = true;
      judge(response, post.url, conclude);
    });
    request.on("upgrade", (_, socket) => {
      socket.destroy();
      conclude(failure("status_not_2xx", `${post.url.host} answered 101`));
    });
    request.on("error", (error) => {
      isStale = !isAborted && !isAnswered && wasClosedWhileIdle(request, error);
      if (!isStale) conclude(failureOf(error, post.url));
    });
    request.on("close", () => {
      if (isStale && !isAborted) return begin(agents.once);
      conclude(failure("connection_closed", `${post.url.host} closed the connection`));
      release();
    });
  }

  begin(agents.kept);
  return {
    verdict: verdict.promise,
    released: released.promise,
    abort: () => {
      isAborted = true;
      // A released connection may carry another delivery by now.
      if (!isReleased) current?.destroy();
    },
  };
}

/** The receiver closed a kept connection just when we used it: no fault of anybody, so it is sent once more. */
function wasClosedWhileIdle(request: ClientRequest, error: Error): boolean {
  return request.reusedSocket && /^(ECONNRESET|EPIPE)$/.test(codeOf(error));
}

function openRequest(
  guard: AddressGuard,
  agents: AgentPair,
  { url, headers }: Post,
): ClientRequest {
  const options = {
    method: "POST",
    hostname: bareHost(url),
    path: url.pathname + url.search,
    headers,
    lookup: guard.lookup,
    ...(url.port !== "" && { port: url.port }),
    ...(url.username !== "" && { auth: credentialsOf(url) }),
  };
  if (url.protocol === "http:") return requestHttp({ ...options, agent: agents.http });
  // Said here so that NODE_TLS_REJECT_UNAUTHORIZED cannot switch it off.
  return requestHttps({ ...options, agent: agents.https, rejectUnauthorized: true });
}

function bareHost(url: URL): string {
  return url.hostname.replace(/^\[(.*)\]$/, "$1");
}

function credentialsOf({ username, password }: URL): string {
  return `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
}

function judge(response: IncomingMessage, url: URL, conclude: (judged: Verdict) => void): void {
  response.on("error", (error) => conclude(failureOf(error, url)));
  const wrong = wrongStatus(response.statusCode ?? 0, url);
  if (wrong !== null) {
    conclude(wrong);
    return;
  }
  const chunks: Buffer[] = [];
  let bytes = 0;
  response.on("data", (chunk: Buffer) => {
    bytes += chunk.byteLength;
    if (bytes > MOST_ANSWER_BYTES) conclude(tooLarge(url));
    else chunks.push(chunk);
  });
  response.on("end", () => {
    // A body that was cut off ends too; then the request's close tells the verdict.
    if (response.complete) conclude(judgeBody(Buffer.concat(chunks), response, url));
  });
}

function wrongStatus(status: number, url: URL): Verdict {
  if (status >= 200 && status < 300) return null;
  if (status >= 300 && status < 400) {
    return failure("redirect", `${url.host} answered ${status}; redirects are never followed`);
  }
  return failure("status_not_2xx", `${url.host} answered ${status}`);
}

function judgeBody(body: Buffer, { statusCode }: IncomingMessage, url: URL): Verdict {
  if (body.toString("utf8").trim() === "success") return null;
  const said = `${url.host} answered ${statusCode} with ${body.byteLength} bytes`;
  return failure("body_not_success", `${said} that are not the word success`);
}

function tooLarge(url: URL): AttemptError {
  return failure("response_too_large", `${url.host} answered more than 64 KiB`);
}
