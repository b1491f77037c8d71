// The callback bench (`bun run bench:callbacks`): deliveries per second, a dead host beside healthy ones, hostile receivers.
import { execFileSync, fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { linearRetry } from "../src/core/retry-policy.ts";
import { createSqliteStore } from "../src/store/sqlite.ts";
import { createCertificates } from "../test/callback/certificates.ts";
import type { HostileRow } from "../test/callback/run-hostile.ts";
import { type Program, startProgram } from "../test/support/program.ts";
import type { Heard, ReceiverQuestion } from "./callback-receiver-process.ts";

/** Long enough for every task to be written before the first is due. */
const HEAD_START_MS = 6_000;
const MOST_WAIT_MS = 60_000;

await main();

async function main(): Promise<void> {
  console.log(await measureRate({ concurrency: 256, inFlight: 128, delayMs: 0, tasks: 15_000 }));
  console.log(
    await measureRate({ concurrency: 2_000, inFlight: 1_000, delayMs: 100, tasks: 20_000 }),
  );
  console.log(await measureDeadHost());
  console.log(hostileTable());
  process.exit(0);
}

interface RateOptions {
  /** CALLBACK_CONCURRENCY; one host gets half. */
  readonly concurrency: number;
  readonly inFlight: number;
  readonly delayMs: number;
  readonly tasks: number;
}

/** One host: the program against a bare fetch loop with as many requests in flight. */
async function measureRate(options: RateOptions): Promise<string> {
  const { concurrency, inFlight, delayMs, tasks } = options;
  const receivers = startReceivers();
  const port = await receivers.open({ delayMs, isDead: false });
  const bare = await fetchRate(port, options, receivers);
  const rate = await withProgram(concurrency, async (program) => {
    await deliverAll(program, [{ port, tasks, timeoutMs: 30_000 }], receivers);
    return rateOf(await receivers.heard(port));
  });
  receivers.close();
  const bound =
    delayMs === 0 ? "" : `, Little's bound ${Math.round(inFlight / (delayMs / 1000))}/s`;
  const share = (rate / bare).toFixed(2);
  return `one host, receiver ${delayMs} ms, ${inFlight} in flight: ${Math.round(rate)}/s; bare fetch loop ${Math.round(bare)}/s${bound}; share of the loop ${share}`;
}

async function fetchRate(
  port: number,
  options: RateOptions,
  receivers: Receivers,
): Promise<number> {
  let left = options.tasks;
  const body = JSON.stringify({ data: { order: 7 } });
  const send = async () => {
    while (left > 0) {
      left -= 1;
      const response = await fetch(`http://127.0.0.1:${port}/`, { method: "POST", body });
      await response.text();
    }
  };
  await Promise.all(Array.from({ length: options.inFlight }, send));
  return rateOf(await receivers.heard(port));
}

/** Nine healthy hosts alone, then beside one that never answers. */
async function measureDeadHost(): Promise<string> {
  const alone = await healthyRate(false);
  const beside = await healthyRate(true);
  const share = (beside / alone).toFixed(2);
  return `nine healthy hosts (20 ms): ${Math.round(alone)}/s alone, ${Math.round(beside)}/s beside one that never answers; share ${share}`;
}

async function healthyRate(withDead: boolean): Promise<number> {
  const receivers = startReceivers();
  const healthy = await Promise.all(
    Array.from({ length: 9 }, () => receivers.open({ delayMs: 20, isDead: false })),
  );
  const loads = healthy.map((port) => ({ port, tasks: 1_500, timeoutMs: 30_000 }));
  if (withDead) {
    const port = await receivers.open({ delayMs: 0, isDead: true });
    loads.unshift({ port, tasks: 3_000, timeoutMs: 2_000 });
  }
  const rate = await withProgram(256, async (program) => {
    await deliverAll(program, loads, receivers, healthy);
    const all = await Promise.all(healthy.map((port) => receivers.heard(port)));
    const count = all.reduce((sum, heard) => sum + heard.count, 0);
    return rateOf({ count, spanMs: Math.max(...all.map(({ spanMs }) => spanMs)) });
  });
  receivers.close();
  return rate;
}

interface Load {
  readonly port: number;
  readonly tasks: number;
  readonly timeoutMs: number;
}

/** Writes tasks that are all due at one later moment, and returns when the hosts have heard theirs. */
async function deliverAll(
  program: Program,
  loads: readonly Load[],
  ...[receivers, awaited = loads.map(({ port }) => port)]: [Receivers, (readonly number[])?]
): Promise<void> {
  const store = createSqliteStore({ path: join(program.folder, "data", "serendipity.db") });
  const runAt = Date.now() + HEAD_START_MS;
  for (const load of loads) {
    const applicationId = await createApplication(program, load.port, store);
    await store.tasks.create(tasksOf(applicationId, load, runAt));
  }
  if (Date.now() > runAt) console.log("(the head start was too short: rates are too low)");
  const wanted = loads.filter(({ port }) => awaited.includes(port));
  const total = wanted.reduce((sum, { tasks }) => sum + tasks, 0);
  await receivers.heardInAll(awaited, total);
  await store.close();
}

async function createApplication(
  { url }: Program,
  port: number,
  store: ReturnType<typeof createSqliteStore>,
): Promise<number> {
  const response = await fetch(`${url}/application/create`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ appName: "bench", linkUrl: `http://127.0.0.1:${port}/`, retryTotal: 0 }),
  });
  const { data } = (await response.json()) as { data: { appKey: string } };
  const application = await store.applications.find(data.appKey);
  if (application === undefined) throw new Error("the application is not there");
  return application.id;
}

function tasksOf(applicationId: number, { tasks, timeoutMs }: Load, runAt: number) {
  return Array.from({ length: tasks }, (_, at) => ({
    applicationId,
    taskNo: `no-${at}`,
    name: "bench",
    lane: "callback" as const,
    job: null,
    content: '{"order":7}',
    digest: "0".repeat(64),
    timeoutMs,
    runAt,
    retry: linearRetry(5, 0),
  }));
}

async function withProgram<T>(
  concurrency: number,
  work: (program: Program) => Promise<T>,
): Promise<T> {
  const env = { CALLBACK_CONCURRENCY: String(concurrency), LOG_LEVEL: "error" };
  const program = await startProgram({ env });
  try {
    return await work(program);
  } finally {
    await program.stop();
  }
}

interface Receivers {
  open(options: { readonly delayMs: number; readonly isDead: boolean }): Promise<number>;
  /** What the port heard since it was asked last. */
  heard(port: number): Promise<Heard>;
  /** Waits until these ports together have heard so many; what they heard stays to be asked. */
  heardInAll(ports: readonly number[], total: number): Promise<void>;
  close(): void;
}

function startReceivers(): Receivers {
  const child = fork(fileURLToPath(new URL("callback-receiver-process.ts", import.meta.url)));
  let asking: Promise<unknown> = Promise.resolve();

  /** One question at a time: answers carry no number. */
  function ask<T>(question: ReceiverQuestion): Promise<T> {
    const answered = asking.then(async () => {
      child.send(question);
      const [answer] = (await once(child, "message")) as [T];
      return answer;
    });
    asking = answered;
    return answered;
  }

  return {
    open: (options) => ask({ kind: "open", ...options }),
    heard: (port) => ask({ kind: "heard", port }),
    heardInAll: async (ports, total) => {
      const endAt = performance.now() + MOST_WAIT_MS;
      while (performance.now() < endAt) {
        const asked = ports.map((port) => ask<Heard>({ kind: "peek", port }));
        const sum = (await Promise.all(asked)).reduce((all, { count }) => all + count, 0);
        if (sum >= total) return;
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
      console.log("(not everything arrived in time)");
    },
    close: () => child.disconnect(),
  };
}

function rateOf({ count, spanMs }: Heard): number {
  return count / (spanMs / 1000);
}

/** In a process of its own, because only its environment can make it trust the certificates. */
function hostileTable(): string {
  const certificates = createCertificates();
  const script = fileURLToPath(new URL("../test/callback/run-hostile.ts", import.meta.url));
  const env = { ...process.env, NODE_EXTRA_CA_CERTS: certificates.caPath };
  const args = ["--no-install", script, JSON.stringify(certificates)];
  const text = execFileSync(process.execPath, args, { env, encoding: "utf8" });
  certificates.remove();
  const lines = (JSON.parse(text) as HostileRow[]).map(
    ({ name, outcome, reason, ms, grewMb }) =>
      `| ${name} | ${outcome} | ${reason ?? ""} | ${ms} | ${grewMb} |`,
  );
  return ["| receiver | outcome | reason | ms | grew MB |", "|---|---|---|---|---|", ...lines].join(
    "\n",
  );
}
