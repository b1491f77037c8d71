// How many tasks are created per second, and how long each takes: coalesced, one statement each, and a bare handler.
import { type Child, startChild } from "./child.ts";
import type { LoadResult, LoadSpec } from "./load.ts";
import type { BenchOptions } from "./options.ts";
import { type Cell, median, tableText } from "./report.ts";
import { createBody } from "./sample.ts";
import { emptyFolder } from "./scratch.ts";
import type { ServerQuestion, ServerStart } from "./server-process.ts";

const CONNECTIONS = 64;
const PATH = "/task/create";

/** A server under load and what was measured of it. */
interface Contestant {
  readonly name: string;
  readonly child: Child;
  readonly port: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly results: (LoadResult & { readonly cpuMicros: number })[];
}

/** Measures in rounds in which every server has its turn. `databases` are URLs of empty MySQL databases, two or none. */
export async function measureCreateRate(
  options: BenchOptions,
  databases: readonly string[],
): Promise<string> {
  const contestants: Contestant[] = [];
  try {
    for (const { name, start } of await plan(databases)) {
      contestants.push(await enter(name, start));
    }
    for (let round = 0; round < options.rounds; round++) {
      for (const contestant of contestants) await runRound(contestant, round, options);
    }
    return reportOf(contestants, options);
  } finally {
    await Promise.all(contestants.map(({ child }) => child.stop()));
  }
}

async function plan(databases: readonly string[]) {
  const [first, second] = databases;
  const mysql =
    first === undefined || second === undefined
      ? []
      : [await api(true, first), await api(false, second)];
  return [
    { name: "bare Elysia handler", start: { kind: "bare" } as const },
    { name: "SQLite, coalescing", start: await api(true) },
    { name: "SQLite, one statement each", start: await api(false) },
    ...mysql.map((start) => ({
      name: start.coalesce ? "MySQL, coalescing" : "MySQL, one statement each",
      start,
    })),
  ];
}

async function api(coalesce: boolean, database?: string) {
  const env = {
    DATA_DIR: await emptyFolder(),
    ...(database !== undefined && {
      DATABASE_URL: database,
      SECRET_KEY: "a key that only the bench uses, 32+",
    }),
  };
  return { kind: "api", env, coalesce } as const;
}

async function enter(name: string, start: ServerStart): Promise<Contestant> {
  const child = await startChild(new URL("server-process.ts", import.meta.url));
  const port = await child.ask<number>(start);
  const signature = start.kind === "bare" ? {} : await readyMadeHeaders(port);
  const headers = { "content-type": "application/json", ...signature };
  return { name, child, port, headers, results: [] };
}

/** Reusable, so that the load generator does not have to sign. */
export async function readyMadeHeaders(port: number): Promise<Record<string, string>> {
  const answer = await fetch(`http://127.0.0.1:${port}/application/create`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ appName: "bench", linkUrl: "http://127.0.0.1/" }),
  });
  const { code, msg, data } = (await answer.json()) as {
    code: number;
    msg: string;
    data: Record<string, string>;
  };
  if (code !== 0) throw new Error(`application/create: ${msg}`);
  const { appKey = "", nonce = "", timestamps = "", payload = "", signature = "" } = data;
  return { app_key: appKey, nonce, timestamps, payload, signature };
}

async function runRound(contestant: Contestant, round: number, options: BenchOptions) {
  const { child, port, headers, results } = contestant;
  const spec: LoadSpec = {
    port,
    path: PATH,
    headers,
    body: JSON.stringify(createBody(`round-${round}-#`)),
    connections: CONNECTIONS,
    warmUpMs: options.warmUpMs,
    durationMs: options.roundMs,
  };
  const generator = await startChild(new URL("load-process.ts", import.meta.url));
  const cpuBefore = await child.ask<number>({ kind: "cpu" } satisfies ServerQuestion);
  const result = await generator.ask<LoadResult>(spec);
  const cpuAfter = await child.ask<number>({ kind: "cpu" } satisfies ServerQuestion);
  await generator.stop();
  const share = options.roundMs / (options.roundMs + options.warmUpMs);
  results.push({ ...result, cpuMicros: ((cpuAfter - cpuBefore) * share) / result.requests });
}

const MEASURES = ["perSecond", "p50Ms", "p99Ms", "cpuMicros"] as const;

function reportOf(contestants: readonly Contestant[], options: BenchOptions): string {
  const rows = contestants.map(({ name, results }): Cell[] => [
    name,
    ...MEASURES.map((measure) => median(results.map((result) => result[measure]))),
    results.map(({ perSecond }) => Math.round(perSecond)).join(" "),
  ]);
  const title = `POST ${PATH}, ${CONNECTIONS} connections, medians of ${options.rounds} alternating rounds of ${options.roundMs} ms`;
  const head = ["", "per second", "p50 ms", "p99 ms", "CPU µs each", "each round"];
  return tableText(title, [head, ...rows, ...ratioRows(contestants)]);
}

function ratioRows([bare, ...others]: readonly Contestant[]): Cell[][] {
  const rows: Cell[][] = [];
  for (let at = 0; at + 1 < others.length; at += 2) {
    const [coalesced, single] = [others[at], others[at + 1]];
    if (bare === undefined || coalesced === undefined || single === undefined) continue;
    rows.push(ratioRow("one statement each", coalesced, single));
    rows.push(ratioRow("bare handler", coalesced, bare));
  }
  return rows;
}

/** Within each round, where both met the same machine; then the median of the rounds. */
function ratioRow(baseName: string, { name, results }: Contestant, base: Contestant): Cell[] {
  const ratios = MEASURES.map((measure) =>
    median(results.map((result, round) => result[measure] / (base.results[round]?.[measure] ?? 0))),
  );
  return [`${name} ÷ ${baseName}`, ...ratios.map((ratio) => `${ratio.toFixed(2)} ×`)];
}
