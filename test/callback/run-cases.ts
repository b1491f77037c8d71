// Delivers every case of the table against real receivers and prints what became of it; runs on Bun and on Deno.
import { createServer } from "node:http";
import { pathToFileURL } from "node:url";
import type { AttemptEnd, KillReceipt } from "../../src/core/attempt.ts";
import { bypassHosts, bypassUrls, REFUSALS } from "./bypass-hosts.ts";
import { answerCases, createTestLane, taskFor } from "./cases.ts";
import { startRawReceiver, startSelfSignedReceiver } from "./receivers.ts";

/** What a child process prints. */
export interface CasesReport {
  readonly answers: readonly { path: string; outcome: string; reason?: string; killed: boolean }[];
  readonly selfSigned: string | undefined;
  /** Hosts and URLs that were not refused, with what became of them. */
  readonly unrefused: readonly string[];
  /** Connections they caused. */
  readonly canary: number;
  readonly cancelled: { outcome: string; killed: boolean };
  /** Requests that went to the proxy the environment names. */
  readonly proxied: number;
  /** Connections still open after the lane was closed. */
  readonly open: number;
}

const lane = createTestLane();
const strictLane = createTestLane({ allowLoopback: false });

async function runCases(proxyPort: number): Promise<CasesReport> {
  let proxied = 0;
  const proxy = createServer((_, response) => response.end("success"));
  proxy.on("connection", () => {
    proxied += 1;
  });
  proxy.listen(proxyPort, "127.0.0.1");
  const receiver = await startRawReceiver();
  const base = `http://127.0.0.1:${receiver.port}`;
  const answers = await Promise.all(answerCases.map((each) => answerOf(base, each)));
  const selfSigned = await selfSignedReason();
  const before = receiver.connections();
  const unrefused = await findUnrefused(receiver.port);
  const canary = receiver.connections() - before;
  const cancelled = await cancel(`${base}/silent`);
  await lane.close();
  await closedConnections(receiver.open);
  const open = receiver.open();
  const report = { answers, selfSigned, unrefused, canary, cancelled, proxied, open };
  await receiver.close();
  proxy.close();
  return report;
}

async function answerOf(base: string, { path, timeoutMs }: (typeof answerCases)[number]) {
  const { end, receipt } = await deliver(base + path, timeoutMs);
  const reason = end.error?.reason;
  return {
    path,
    outcome: end.outcome,
    ...(reason !== undefined && { reason }),
    killed: receipt.killed,
  };
}

async function deliver(
  url: string,
  timeoutMs = 20_000,
): Promise<{ end: AttemptEnd; receipt: KillReceipt }> {
  const attempt = lane.start(taskFor(url, { timeoutMs }));
  return { end: await attempt.ended, receipt: await attempt.gone };
}

async function selfSignedReason(): Promise<string | undefined> {
  const receiver = await startSelfSignedReceiver();
  const { end } = await deliver(`https://localhost:${receiver.port}/`);
  await receiver.close();
  return end.error?.reason;
}

async function findUnrefused(port: number): Promise<string[]> {
  const hosts = bypassHosts.map((host) => `http://${host}:${port}/success`);
  const urls = [...hosts, ...bypassUrls.map((url) => url.replace("PORT", String(port)))];
  const reasons = await Promise.all(
    urls.map(async (url) => (await strictLane.start(taskFor(url)).ended).error?.reason ?? ""),
  );
  return urls.filter((_, at) => !REFUSALS.includes(reasons[at] ?? ""));
}

async function cancel(url: string): Promise<{ outcome: string; killed: boolean }> {
  const attempt = lane.start(taskFor(url));
  setImmediate(() => attempt.stop("cancel"));
  const { outcome } = await attempt.ended;
  return { outcome, killed: (await attempt.gone).killed };
}

async function closedConnections(open: () => number): Promise<void> {
  const endAt = performance.now() + 2_000;
  while (open() > 0 && performance.now() < endAt) {
    await new Promise((resolve) => setImmediate(resolve));
  }
}

const [, script = "", data = "{}"] = process.argv;
if (import.meta.url === pathToFileURL(script).href) {
  const { proxyPort } = JSON.parse(data) as { proxyPort: number };
  console.log(JSON.stringify(await runCases(proxyPort)));
  process.exit(0);
}
