// toxiproxy between the programs and each server, steered over its HTTP API.
import { findBinary } from "../support/find-binary.ts";
import { findFreePort } from "../support/free-port.ts";
import { makeServerFolder, startPrivateServer } from "../support/private-server.ts";

/** Types and attributes as in https://github.com/Shopify/toxiproxy#toxics. */
const TOXICS = {
  slow: { type: "latency", attributes: { latency: 150 } },
  /** Nothing arrives, and nobody is told: what was sent before it has been done all the same. */
  mute: { type: "timeout", attributes: { timeout: 0 } },
  reset: { type: "reset_peer", attributes: { timeout: 0 } },
  slice: { type: "slicer", attributes: { average_size: 16, size_variation: 8, delay: 200 } },
} as const;

export function isToxic(how: string): how is keyof typeof TOXICS {
  return Object.hasOwn(TOXICS, how);
}

export interface Toxiproxy {
  /** Makes a proxy in front of `upstream` (host:port); resolves to its own address. */
  proxy(name: string, upstream: string): Promise<string>;
  /** Closes all connections of a proxy and refuses new ones until it is joined again. */
  cut(name: string): Promise<void>;
  /** Undoes `cut` and `spoil`. */
  join(name: string): Promise<void>;
  /** Spoils what the server sends, until it is joined again. */
  spoil(name: string, how: keyof typeof TOXICS): Promise<void>;
  stop(): Promise<void>;
}

export async function startToxiproxy(): Promise<Toxiproxy> {
  const command = findBinary("toxiproxy-server", "server");
  if (command === undefined)
    throw new Error("no toxiproxy: `bun run test:services` builds it (needs Go)");
  const port = await findFreePort();
  const api = `http://127.0.0.1:${port}`;
  const server = await startPrivateServer({
    command,
    args: ["-host", "127.0.0.1", "-port", String(port)],
    folder: await makeServerFolder("toxiproxy"),
    probe: () => ask("GET", "/proxies"),
  });

  async function ask(method: string, path: string, body?: unknown): Promise<void> {
    const init = body === undefined ? { method } : { method, body: JSON.stringify(body) };
    const response = await fetch(api + path, init);
    if (!response.ok && response.status !== 404) {
      throw new Error(`toxiproxy: ${method} ${path}: ${response.status} ${await response.text()}`);
    }
  }

  return {
    async proxy(name, upstream) {
      const listen = `127.0.0.1:${await findFreePort()}`;
      await ask("POST", "/proxies", { name, listen, upstream, enabled: true });
      return listen;
    },
    cut: (name) => ask("POST", `/proxies/${name}`, { enabled: false }),
    async join(name) {
      await ask("DELETE", `/proxies/${name}/toxics/spoilt`);
      await ask("POST", `/proxies/${name}`, { enabled: true });
    },
    spoil: (name, how) =>
      ask("POST", `/proxies/${name}/toxics`, {
        name: "spoilt",
        stream: "downstream",
        ...TOXICS[how],
      }),
    stop: server.stop,
  };
}
