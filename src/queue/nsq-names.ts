// What the settings of NSQ say: topics, channel and addresses.
import type { NsqConfig } from "../config/config.ts";
import { AppError } from "../core/errors.ts";
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

/** Throws on a name that nsqd does not allow; it would close the connection with all that is under way on it. */
export function checkNames({ topic, channel }: NsqConfig): void {
  // "-callback" must fit into the 64 characters.
  if (!/^[.a-zA-Z0-9_-]{1,55}$/.test(topic)) {
    throw nameError("NSQ_TOPIC", topic, "1–55 of a-z A-Z 0-9 . _ -");
  }
  if (!/^(?=.{1,64}$)[.a-zA-Z0-9_-]+(#ephemeral)?$/.test(channel)) {
    throw nameError("NSQ_CHANNEL", channel, "1–64 of a-z A-Z 0-9 . _ -, and #ephemeral at the end");
  }
}

function nameError(variable: string, value: string, allowed: string): AppError {
  return new AppError("configuration", `${variable} is "${value}"; allowed: ${allowed}`);
}
