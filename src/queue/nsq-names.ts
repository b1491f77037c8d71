// What the settings of NSQ say: topics and addresses.
import type { NsqConfig } from "../config/config.ts";
import type { Lane } from "../core/task.ts";

/** The parts of host:port; an IPv6 host is in brackets there. */
export function splitAddress(address: string): { host: string; port: number } {
  const colon = address.lastIndexOf(":");
  const host = address.slice(0, colon).replace(/^\[|\]$/g, "");
  return { host, port: Number(address.slice(colon + 1)) };
}

/** Each lane has a topic of its own. */
export function topicOf(config: NsqConfig, lane: Lane): string {
  return `${config.topic}-${lane}`;
}
