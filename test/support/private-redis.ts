// Starts a private Redis server without persistence on a free loopback port.

import { findBinary } from "./find-binary.ts";
import { findFreePort } from "./free-port.ts";
import { makeServerFolder, type PrivateServer, startPrivateServer } from "./private-server.ts";
import { probeRedis } from "./probes.ts";

export type PrivateRedis = PrivateServer & { readonly port: number; readonly url: string };

/** Why no private server can be started here, or undefined. */
export function whyNoRedis(): string | undefined {
  return findBinary("redis-server") === undefined ? "no redis-server is installed" : undefined;
}

/** Starts an empty server, with further options, and returns when it answers PING; without a dump a restart empties it. */
export async function startPrivateRedis(options: readonly string[] = []): Promise<PrivateRedis> {
  const command = findBinary("redis-server");
  if (command === undefined) throw new Error(whyNoRedis());
  const port = await findFreePort();
  const folder = await makeServerFolder("redis");
  const url = `redis://127.0.0.1:${port}`;
  const place = ["--bind", "127.0.0.1", "--port", String(port), "--dir", folder];
  const args = [...place, "--save", "", "--appendonly", "no", ...options];
  const probe = () => probeRedis(url);
  return Object.assign(await startPrivateServer({ command, args, folder, probe }), { port, url });
}
