// Starts a private nsqd, known to a private nsqlookupd of its own, on free loopback ports.

import { findBinary } from "./find-binary.ts";
import { findFreePort } from "./free-port.ts";
import { makeServerFolder, type PrivateServer, startPrivateServer } from "./private-server.ts";
import { findNsqdHttpAddress, probeNsq } from "./probes.ts";

/** `pid`, `kill9`, `freeze`, `thaw` and `restart` are nsqd's alone; `stop` ends both. */
export type PrivateNsqd = PrivateServer & {
  readonly port: number;
  readonly tcpAddress: string;
  readonly httpAddress: string;
  readonly lookupdHttpAddress: string;
};

type Lookupd = PrivateServer & { readonly tcpAddress: string; readonly httpAddress: string };

/** Why no private server can be started here, or undefined. */
export function whyNoNsqd(): string | undefined {
  const absent = ["nsqd", "nsqlookupd"].filter((name) => findBinary(name) === undefined);
  if (absent.length === 0) return undefined;
  return `no ${absent.join(" and no ")} is installed (with Go, \`bun run test:services\` builds them)`;
}

/** Starts both and returns when nsqd answers and nsqlookupd knows it. */
export async function startPrivateNsqd(): Promise<PrivateNsqd> {
  const lookupd = await startLookupd();
  try {
    return await startNsqd(lookupd);
  } catch (error) {
    await lookupd.stop();
    throw error;
  }
}

async function startLookupd(): Promise<Lookupd> {
  const tcpAddress = `127.0.0.1:${await findFreePort()}`;
  const httpAddress = `127.0.0.1:${await findFreePort()}`;
  const server = await startPrivateServer({
    command: binary("nsqlookupd"),
    args: [
      `--tcp-address=${tcpAddress}`,
      `--http-address=${httpAddress}`,
      "--broadcast-address=127.0.0.1",
    ],
    folder: await makeServerFolder("nsqlookupd"),
    probe: () => probeNsq(httpAddress),
  });
  return Object.assign(server, { tcpAddress, httpAddress });
}

async function startNsqd(lookupd: Lookupd): Promise<PrivateNsqd> {
  const port = await findFreePort();
  const tcpAddress = `127.0.0.1:${port}`;
  const httpAddress = `127.0.0.1:${await findFreePort()}`;
  const folder = await makeServerFolder("nsqd");
  const nsqd = await startPrivateServer({
    command: binary("nsqd"),
    args: [
      `--tcp-address=${tcpAddress}`,
      `--http-address=${httpAddress}`,
      "--broadcast-address=127.0.0.1",
      `--lookupd-tcp-address=${lookupd.tcpAddress}`,
      `--data-path=${folder}`,
    ],
    folder,
    probe: () => probeRegistered(tcpAddress, httpAddress, lookupd.httpAddress),
  });
  const stopNsqd = nsqd.stop;
  const stop = async (): Promise<void> => {
    await stopNsqd();
    await lookupd.stop();
  };
  const addresses = { port, tcpAddress, httpAddress, lookupdHttpAddress: lookupd.httpAddress };
  return Object.assign(nsqd, addresses, { stop });
}

async function probeRegistered(tcp: string, http: string, lookupdHttp: string): Promise<void> {
  await probeNsq(http);
  await findNsqdHttpAddress(tcp, lookupdHttp);
}

function binary(name: string): string {
  const path = findBinary(name);
  if (path === undefined) throw new Error(whyNoNsqd());
  return path;
}
