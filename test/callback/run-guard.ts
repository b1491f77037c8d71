// Delivers to every way to write an address that must not be reached, with a canary listening; runs on Bun and on Deno.
import { pathToFileURL } from "node:url";
import { createAddressGuard } from "../../src/callback/address-guard.ts";
import { bypassUrls, writtenHosts } from "./bypass-hosts.ts";
import { createTestLane, taskFor } from "./cases.ts";
import { privateAddresses, publicAddresses } from "./guarded-addresses.ts";
import { startRawReceiver } from "./receivers.ts";

/** What became of a delivery to one way of writing an address. */
export interface WrittenRow {
  /** `PORT` stands for the canary's. */
  readonly url: string;
  readonly reason: string;
}

/** What the guard says to an address. */
export interface AddressRow {
  readonly address: string;
  readonly isRefused: boolean;
}

export interface GuardReport {
  readonly written: readonly WrittenRow[];
  readonly addresses: readonly AddressRow[];
  /** Connections that all of them caused at the canary. */
  readonly canary: number;
  /** The same to a delivery that may go there: it shows that the canary listens. */
  readonly allowed: number;
}

async function runGuard(): Promise<GuardReport> {
  const receiver = await startRawReceiver();
  const lane = createTestLane({ allowLoopback: false, allow: [] });
  const urls = [...writtenHosts.map((host) => `http://${host}:PORT/success`), ...bypassUrls];
  const written = await Promise.all(
    urls.map(async (url): Promise<WrittenRow> => {
      const task = taskFor(url.replaceAll("PORT", String(receiver.port)));
      const { error, outcome } = await lane.start(task).ended;
      return { url, reason: error?.reason ?? outcome };
    }),
  );
  const canary = receiver.connections();
  const open = createTestLane();
  await open.start(taskFor(`http://127.0.0.1:${receiver.port}/success`)).ended;
  const allowed = receiver.connections() - canary;
  await Promise.all([lane.close(), open.close(), receiver.close()]);
  return { written, addresses: judgeAddresses(), canary, allowed };
}

function judgeAddresses(): AddressRow[] {
  const guard = createAddressGuard({ allow: [], allowLoopback: false });
  return [...privateAddresses.map(([, address]) => address), ...publicAddresses].map((address) => {
    try {
      guard.checkLiteral(address);
      return { address, isRefused: false };
    } catch {
      return { address, isRefused: true };
    }
  });
}

const [, script = ""] = process.argv;
if (import.meta.url === pathToFileURL(script).href) {
  console.log(JSON.stringify(await runGuard()));
  process.exit(0);
}
