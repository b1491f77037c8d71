// Asks nsqlookupd again and again which nsqds have a topic.
import { get as getHttp } from "node:http";
import { get as getHttps } from "node:https";
import { setTimeout as delay } from "node:timers/promises";
import { messageOf } from "../core/errors.ts";
import { joinHostAndPort } from "../core/host-port.ts";
import type { Logger } from "../core/logger.ts";

export interface LookupdWatch {
  /** host:port or URLs. */
  readonly lookupds: readonly string[];
  readonly topic: string;
  /** Gets the addresses (host:port) of all nsqds that have the topic, after every round with an answer. */
  readonly onFound: (addresses: readonly string[]) => void;
  readonly logger: Logger;
}

const ASK_EVERY_MS = 1_500;
const ASK_TIMEOUT_MS = 1_000;

/** Watches until the returned function is called. nsqjs' own lookup has no timeout and obeys HTTP_PROXY. */
export function watchLookupd(watch: LookupdWatch): () => void {
  const stop = new AbortController();
  if (watch.lookupds.length > 0) {
    watchUntil(stop.signal, watch).catch((error: unknown) => {
      watch.logger.error({ error: messageOf(error) }, "nsqlookupd is not asked any more");
    });
  }
  return () => stop.abort();
}

async function watchUntil(stopped: AbortSignal, watch: LookupdWatch): Promise<void> {
  const urls = watch.lookupds.map((address) => lookupUrl(address, watch.topic));
  while (!stopped.aborted) {
    const answers = await Promise.allSettled(urls.map((url) => askForNsqds(url, stopped)));
    if (stopped.aborted) return;
    const found = answers.filter((answer) => answer.status === "fulfilled");
    if (found.length > 0) watch.onFound([...new Set(found.flatMap((answer) => answer.value))]);
    // Rejects when it is stopped meanwhile; the loop's condition sees that.
    await delay(ASK_EVERY_MS, undefined, { signal: stopped }).catch(messageOf);
  }
}

function lookupUrl(address: string, topic: string): URL {
  const url = new URL(address.includes("://") ? address : `http://${address}`);
  if (url.pathname === "/") url.pathname = "/lookup";
  url.searchParams.set("topic", topic);
  return url;
}

async function askForNsqds(url: URL, stopped: AbortSignal): Promise<readonly string[]> {
  const signal = AbortSignal.any([stopped, AbortSignal.timeout(ASK_TIMEOUT_MS)]);
  const { status, text } = await fetchText(url, signal);
  // So far nobody has published to the topic or subscribed to it.
  if (status === 404) return [];
  const { producers } = JSON.parse(text) as { producers: readonly Producer[] };
  return producers.map(addressOf);
}

interface Producer {
  readonly broadcast_address: string;
  readonly tcp_port: number;
}

function addressOf({ broadcast_address: host, tcp_port: port }: Producer): string {
  return joinHostAndPort(host, port);
}

/** Not `fetch`: on Bun it would send the request to HTTP_PROXY. */
function fetchText(url: URL, signal: AbortSignal): Promise<{ status: number; text: string }> {
  const get = url.protocol === "https:" ? getHttps : getHttp;
  return new Promise((resolve, reject) => {
    const request = get(url, { agent: false, signal }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", reject);
      response.on("end", () => {
        resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString() });
      });
    });
    request.on("error", reject);
  });
}
