// The callback bench (`bun run bench:callbacks [rate|slow|dead …]`): deliveries per second, and a dead host beside healthy ones.
import {
  deliverAll,
  fetchAll,
  type Load,
  type Loaded,
  type Receivers,
  rateOf,
  startReceivers,
  withLoaded,
} from "./callback-load.ts";
import { machineText } from "./machine.ts";
import { type Cell, median, tableText } from "./report.ts";
import { removeFolders } from "./scratch.ts";

const ROUNDS = 5;
const HEALTHY = 9;
/** Longer than this means that something hangs. */
const LIMIT_MS = 420_000;

const PARTS = {
  rate: () =>
    measureRate({ concurrency: 256, inFlight: 128, delayMs: 0, tasks: 20_000, requests: 50_000 }),
  slow: () =>
    measureRate({
      concurrency: 2_000,
      inFlight: 1_000,
      delayMs: 100,
      tasks: 20_000,
      requests: 20_000,
    }),
  dead: measureDeadHost,
};

await main(process.argv.slice(2));

async function main(words: readonly string[]): Promise<void> {
  const limit = setTimeout(giveUp, LIMIT_MS);
  console.log(await machineText(undefined));
  const names = Object.keys(PARTS) as (keyof typeof PARTS)[];
  const chosen = names.filter((name) => words.includes(name));
  for (const name of chosen.length === 0 ? names : chosen) console.log(await PARTS[name]());
  await removeFolders();
  clearTimeout(limit);
  process.exit(0);
}

/** The watchdog of the program ends it with this process. */
function giveUp(): never {
  console.error(`the bench did not end within ${LIMIT_MS} ms`);
  process.exit(1);
}

interface RateOptions {
  /** CALLBACK_CONCURRENCY; one host gets half. */
  readonly concurrency: number;
  readonly inFlight: number;
  readonly delayMs: number;
  /** Per round: some seconds of deliveries, and about as many of the bare loop. */
  readonly tasks: number;
  readonly requests: number;
}

/** One host, the program and the bare loop in turn, with as many in flight; the first round of each is not counted. */
async function measureRate(options: RateOptions): Promise<string> {
  const { concurrency, inFlight, delayMs } = options;
  const receivers = startReceivers();
  const port = await receivers.open({ delayMs, isDead: false });
  const rounds: { readonly ours: number; readonly bare: number }[] = [];
  await withLoaded(concurrency, async (loaded) => {
    for (let round = 0; round <= ROUNDS; round++) {
      const bare = await bareRate(port, options, receivers);
      const ours = await ownRate(loaded, receivers, { port, tasks: options.tasks });
      if (round > 0) rounds.push({ ours, bare });
    }
  });
  receivers.close();
  const bound = delayMs === 0 ? Number.POSITIVE_INFINITY : inFlight / (delayMs / 1000);
  const title = `One host, ${inFlight} in flight, receiver ${delayMs} ms, embedded, ${ROUNDS} rounds`;
  const rows = rateRows(rounds, bound);
  return tableText(title, [["", "per second", "each round"], ...rows]);
}

function rateRows(
  rounds: readonly { readonly ours: number; readonly bare: number }[],
  bound: number,
): Cell[][] {
  const row = (name: string, values: readonly number[]): Cell[] => [
    name,
    median(values),
    values.map((value) => Math.round(value)).join(" "),
  ];
  const shares = rounds.map(({ ours, bare }) => ours / Math.min(bare, bound));
  const isBounded = Number.isFinite(bound);
  return [
    row(
      "deliveries",
      rounds.map(({ ours }) => ours),
    ),
    row(
      "bare fetch loop",
      rounds.map(({ bare }) => bare),
    ),
    ...(isBounded ? [["Little's bound", bound]] : []),
    [
      isBounded ? "deliveries ÷ the lesser of the two" : "deliveries ÷ bare fetch loop",
      `${median(shares).toFixed(2)} ×`,
      shares.map((share) => share.toFixed(2)).join(" "),
    ],
  ];
}

async function ownRate(loaded: Loaded, receivers: Receivers, load: Load): Promise<number> {
  await deliverAll(loaded, receivers, { loads: [load], awaited: [load.port] });
  return rateOf(await receivers.heard(load.port));
}

async function bareRate(port: number, options: RateOptions, receivers: Receivers): Promise<number> {
  await fetchAll(port, options.inFlight, options.requests);
  return rateOf(await receivers.heard(port));
}

/** Nine healthy hosts alone, then beside one that never answers, in turn, each time in a program of its own. */
async function measureDeadHost(): Promise<string> {
  const rounds: { readonly alone: number; readonly beside: number }[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    // The order changes, so that neither always finds the machine as the other left it.
    const isAloneFirst = round % 2 === 0;
    const first = await healthyRate(!isAloneFirst);
    const second = await healthyRate(isAloneFirst);
    rounds.push(isAloneFirst ? { alone: first, beside: second } : { alone: second, beside: first });
  }
  const shares = rounds.map(({ alone, beside }) => beside / alone);
  const all = (name: "alone" | "beside") => rounds.map((round) => round[name]);
  const each = (name: "alone" | "beside") => all(name).map(Math.round).join(" ");
  return tableText(`${HEALTHY} healthy hosts (20 ms), embedded, ${ROUNDS} rounds`, [
    ["", "per second", "each round"],
    ["alone", median(all("alone")), each("alone")],
    ["beside one that never answers", median(all("beside")), each("beside")],
    [
      "beside ÷ alone",
      `${median(shares).toFixed(2)} ×`,
      shares.map((share) => share.toFixed(2)).join(" "),
    ],
  ]);
}

async function healthyRate(withDead: boolean): Promise<number> {
  const receivers = startReceivers();
  const open = (options: { delayMs: number; isDead: boolean }) => receivers.open(options);
  const healthy: number[] = [];
  for (let at = 0; at < HEALTHY; at++) healthy.push(await open({ delayMs: 20, isDead: false }));
  const loads = (tasks: number): Load[] => healthy.map((port) => ({ port, tasks }));
  const dead = { port: await open({ delayMs: 0, isDead: true }), tasks: 3_000, timeoutMs: 2_000 };
  const rate = await withLoaded(256, async (loaded) => {
    await deliverAll(loaded, receivers, { loads: loads(300), awaited: healthy });
    for (const port of healthy) await receivers.heard(port);
    const measured = withDead ? [dead, ...loads(2_000)] : loads(2_000);
    await deliverAll(loaded, receivers, { loads: measured, awaited: healthy });
    return rateOfAll(receivers, healthy);
  });
  receivers.close();
  return rate;
}

async function rateOfAll(receivers: Receivers, ports: readonly number[]): Promise<number> {
  const all = await Promise.all(ports.map((port) => receivers.heard(port)));
  const count = all.reduce((sum, heard) => sum + heard.count, 0);
  return rateOf({ count, spanMs: Math.max(...all.map(({ spanMs }) => spanMs)) });
}
