// The comparison with another commit (`bun run bench:regression --against COMMIT [--rounds N] [--only create]`): how many tasks are created,
// claimed and run warm per second, both trees in turn. It ends with 1 when a ratio is below the floor. What each costs in
// processor time is shown beside: on a busy machine that is steadier than any rate.
import { join } from "node:path";
import { createClient } from "../test/support/api-client.ts";
import { startProgram } from "../test/support/program.ts";
import { startChild } from "./child.ts";
import type { Claimed, ClaimSpec } from "./claim-process.ts";
import { cpuTimeMs } from "./cpu-time.ts";
import { readyMadeHeaders } from "./create-rate.ts";
import { warmUp } from "./ended-tasks.ts";
import { measureJobRate } from "./job-rate.ts";
import type { LoadResult, LoadSpec } from "./load.ts";
import { machineText } from "./machine.ts";
import { type Cell, median, tableText } from "./report.ts";
import { createBody, NOOP } from "./sample.ts";
import { removeFolders } from "./scratch.ts";
import { type Tree, thisTree, treeOf } from "./trees.ts";

const MEASURES = ["create", "claim", "warm"] as const;
type Measure = (typeof MEASURES)[number];

interface Measured {
  readonly perSecond: number;
  /** Of the program, or the process that claims, for each task. */
  readonly cpuMicros: number;
}

/** Of each round: what the other commit did, then what this tree did. */
type Pairs = Readonly<Record<Measure, Measured[][]>>;

const MEASURING: Readonly<Record<Measure, (tree: Tree) => Promise<Measured>>> = {
  create: (tree) => inProgram(tree, createRate),
  claim: claimRate,
  warm: (tree) => inProgram(tree, warmRate),
};

/** Of the rate of the other commit. */
const FLOOR = 0.95;
const LEAST_ROUNDS = 5;
const CONNECTIONS = 32;
const WARM_UP_MS = 700;
const CREATE_MS = 2_500;
const CLAIMED_TASKS = 6_400;
const WARM_TASKS = 1_500;
/** Nothing that is created is due while creating is measured. */
const LATER_MS = 3_600_000;

const { against, rounds, chosen } = readOptions(process.argv);
const base = await treeOf(against);
process.exitCode = 1;
try {
  console.log(await machineText(undefined));
  const trees = [base, await thisTree()];
  const pairs: Pairs = { create: [], claim: [], warm: [] };
  for (let round = 1; round <= rounds; round++) {
    for (const name of chosen) {
      const measured: Measured[] = [];
      for (const tree of trees) measured.push(await MEASURING[name](tree));
      pairs[name].push(measured);
      const shown = measured.map(({ perSecond }) => Math.round(perSecond)).join(" and ");
      console.log(`round ${round}, ${name}: ${shown} per second`);
    }
  }
  process.exitCode = report(pairs);
} finally {
  base.forget();
  await removeFolders();
}

function readOptions(args: readonly string[]) {
  const optionOf = (name: string) => {
    const at = args.indexOf(name);
    return at === -1 ? undefined : args[at + 1];
  };
  const commit = optionOf("--against");
  const count = Number(optionOf("--rounds") ?? LEAST_ROUNDS);
  if (commit === undefined) throw new Error("--against needs a commit to compare with");
  if (!(count >= LEAST_ROUNDS)) throw new Error(`--rounds must be ${LEAST_ROUNDS} or more`);
  const only = optionOf("--only");
  const chosen = MEASURES.filter((name) => only === undefined || name === only);
  if (chosen.length === 0) throw new Error(`--only must be one of ${MEASURES.join(", ")}`);
  return { against: commit, rounds: count, chosen };
}

async function inProgram(
  { root, jobsDir }: Tree,
  work: (url: string, cpuMs: () => number) => Promise<Measured>,
): Promise<Measured> {
  const main = join(root, "src", "main.ts");
  const program = await startProgram({ main, env: { JOBS_DIR: jobsDir, LOG_LEVEL: "warn" } });
  try {
    return await work(program.url, () => cpuTimeMs(program.pid));
  } finally {
    await program.stop();
  }
}

async function createRate(url: string, cpuMs: () => number): Promise<Measured> {
  const port = Number(new URL(url).port);
  const generator = await startChild(new URL("load-process.ts", import.meta.url));
  const spec: LoadSpec = {
    port,
    path: "/task/create",
    headers: { "content-type": "application/json", ...(await readyMadeHeaders(port)) },
    body: JSON.stringify({ ...createBody("#"), runtime: Date.now() + LATER_MS }),
    connections: CONNECTIONS,
    warmUpMs: WARM_UP_MS,
    durationMs: CREATE_MS,
  };
  try {
    const before = cpuMs();
    const { perSecond, requests } = await generator.ask<LoadResult>(spec);
    const share = CREATE_MS / (CREATE_MS + WARM_UP_MS);
    return { perSecond, cpuMicros: ((cpuMs() - before) * share * 1000) / requests };
  } finally {
    await generator.stop();
  }
}

async function claimRate({ root }: Tree): Promise<Measured> {
  const child = await startChild(new URL("claim-process.ts", import.meta.url));
  const spec: ClaimSpec = { tree: root, tasks: CLAIMED_TASKS };
  try {
    const { perSecond, cpuMs } = await child.ask<Claimed>(spec);
    return { perSecond, cpuMicros: (cpuMs * 1000) / CLAIMED_TASKS };
  } finally {
    await child.stop();
  }
}

/** Its cost includes creating the tasks and reading how they ended. */
async function warmRate(url: string, cpuMs: () => number): Promise<Measured> {
  const client = await createClient(url);
  const dueAfter = await warmUp(client, NOOP.name);
  const before = cpuMs();
  const load = { job: NOOP.name, tasks: WARM_TASKS };
  const [, perSecond] = await measureJobRate(client, dueAfter, load);
  return {
    perSecond: Number(perSecond),
    cpuMicros: ((cpuMs() - before) * 1000) / WARM_TASKS,
  };
}

/** Ratios within each round, where both met nearly the same machine; then the median of the rounds. */
function compare(pairs: readonly (readonly Measured[])[], of: keyof Measured) {
  const [before = [], after = []] = [0, 1].map((at) => pairs.map((pair) => pair[at]?.[of] ?? 0));
  const ratios = after.map((value, round) => value / (before[round] ?? 0));
  return { before: median(before), after: median(after), ratio: median(ratios), ratios };
}

function report(pairs: Pairs): 0 | 1 {
  const rows = chosen.map((name) => ({
    name,
    rate: compare(pairs[name], "perSecond"),
    cost: compare(pairs[name], "cpuMicros"),
  }));
  const cells = rows.map(({ name, rate, cost }): Cell[] => [
    name,
    rate.before,
    rate.after,
    rate.ratio,
    rate.ratios.map((ratio) => ratio.toFixed(2)).join(" "),
    cost.before,
    cost.after,
    cost.ratio,
  ]);
  const head = ["", "per second", "here", "ratio", "each round", "CPU µs", "here", "ratio"];
  const title = `Medians of ${rounds} rounds in turn; each ratio of the rates must be ${FLOOR} or more`;
  console.log(tableText(title, [head, ...cells]));
  const tooSlow = rows.filter(({ rate }) => !(rate.ratio >= FLOOR)).map(({ name }) => name);
  const figures = Object.fromEntries(rows.map(({ name, rate, cost }) => [name, { rate, cost }]));
  console.log(JSON.stringify({ against, rounds, floor: FLOOR, tooSlow, ...figures }));
  return tooSlow.length === 0 ? 0 : 1;
}
