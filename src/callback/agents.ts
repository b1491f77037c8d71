// Opens connections to receivers and keeps them for the next delivery, never longer than their check is good.
import { Agent, type ClientRequest, request as requestHttp } from "node:http";
import { request as requestHttps, Agent as SecureAgent } from "node:https";
import type { LookupFunction } from "node:net";
import { bareHost } from "../core/link-url.ts";

/** Below the 5 s after which Node's own servers close idle connections. */
const IDLE_MS = 4_000;
/** A connection may be used again up to 60 s after its address was checked. */
const CHECK_GOOD_MS = 55_000;
const MOST_HEAD_BYTES = 64 * 1024;
/** Per host; Node keeps 256 by default and closes the rest, which costs a connection per delivery. */
const MOST_KEPT = 10_000;

interface AgentPair {
  readonly http: Agent;
  readonly https: SecureAgent;
}

export interface Connector {
  /** With `isFresh` on a connection of its own. Throws what node:http throws. */
  open(target: Target, isFresh: boolean): ClientRequest;
  /** Closes idle connections. */
  close(): void;
}

export interface Target {
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly lookup: LookupFunction;
}

export function createConnector(): Connector {
  const once = agentPair(false);
  let kept = agentPair(canKeepConnections());
  let previous = kept;
  let bornMs = performance.now();

  /** Connections of the old pair are used no more; its idle ones close by themselves after IDLE_MS. */
  function pairOfNow(): AgentPair {
    if (performance.now() - bornMs < CHECK_GOOD_MS) return kept;
    previous = kept;
    kept = agentPair(canKeepConnections());
    bornMs = performance.now();
    return kept;
  }

  return {
    open: (target, isFresh) => openRequest(isFresh ? once : pairOfNow(), target),
    close: () => {
      for (const pair of new Set([kept, previous])) {
        pair.http.destroy();
        pair.https.destroy();
      }
    },
  };
}

// On Deno 2.9 a request that is destroyed on a reused connection tells nobody, so there every delivery has its own.
function canKeepConnections(): boolean {
  return !("Deno" in globalThis);
}

function agentPair(keepAlive: boolean): AgentPair {
  // A proxy would connect in our place, past the guard: NODE_USE_ENV_PROXY must not bring one in (on Deno it does).
  const kept = { timeout: IDLE_MS, maxFreeSockets: MOST_KEPT };
  const options = { keepAlive, proxyEnv: {}, ...(keepAlive && kept) };
  return { http: new Agent(options), https: new SecureAgent(options) };
}

function openRequest(agents: AgentPair, { url, headers, lookup }: Target): ClientRequest {
  const options = {
    method: "POST",
    hostname: bareHost(url),
    path: url.pathname + url.search,
    headers,
    lookup,
    maxHeaderSize: MOST_HEAD_BYTES,
    ...(url.port !== "" && { port: url.port }),
  };
  if (url.protocol === "http:") return requestHttp({ ...options, agent: agents.http });
  // Said here so that NODE_TLS_REJECT_UNAUTHORIZED cannot switch it off.
  return requestHttps({ ...options, agent: agents.https, rejectUnauthorized: true });
}
