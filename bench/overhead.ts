// What the live stack costs (`bun run bench:trace [--quick] [word of a name …]`): `lean` against `off` in fresh processes, in turn.
import { execFile } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { openLiveSources } from "../src/live/sources.ts";
import { machineText } from "./machine.ts";
import { WORKLOADS, type Workload } from "./overhead-programs.ts";
import { type Cell, median, tableText } from "./report.ts";
import { emptyFolder, removeFolders } from "./scratch.ts";

const run = promisify(execFile);
const PROCESS = fileURLToPath(new URL("overhead-process.ts", import.meta.url));
const ROUNDS = process.argv.includes("--quick") ? 3 : 9;
const WORDS = process.argv.slice(2).filter((word) => !word.startsWith("--"));

await main();

async function main(): Promise<void> {
  const startedMs = performance.now();
  console.log(await machineText(undefined));
  const folder = await emptyFolder();
  const rows: Cell[][] = [
    ["", "off ms", "lean ms", "best ÷ best", "limit", "", "off: each", "lean: each"],
  ];
  const chosen = WORKLOADS.filter(({ name }) => WORDS.every((word) => name.includes(word)));
  for (const workload of chosen) rows.push(await measure(workload, folder));
  console.log(tableText(`lean against off, best of ${ROUNDS} fresh processes each`, rows));
  await removeFolders();
  console.log(`took ${((performance.now() - startedMs) / 1000).toFixed(0)} s`);
}

async function measure({ name, limit, source }: Workload, folder: string): Promise<Cell[]> {
  const paths = await writeBoth(name, source, folder);
  const times: Record<"off" | "lean", number[]> = { off: [], lean: [] };
  const results = new Set<string>();
  for (let round = 0; round < ROUNDS; round++) {
    // The first of one round is the second of the next.
    for (const mode of round % 2 === 0 ? (["off", "lean"] as const) : (["lean", "off"] as const)) {
      const { stdout } = await run(process.execPath, ["--no-install", PROCESS, paths[mode], mode]);
      const said = JSON.parse(stdout) as { ms: number; result: string };
      times[mode].push(said.ms);
      results.add(said.result);
    }
  }
  if (results.size !== 1) throw new Error(`${name}: lean and off came to different results`);
  const [off, lean] = [Math.min(...times.off), Math.min(...times.lean)];
  const ratio = lean / off;
  const verdict = ratio <= (limit ?? ratio) ? "" : "OVER";
  const words = [limit?.toFixed(2) ?? "none", verdict, spread(times.off), spread(times.lean)];
  return [name, off, lean, ratio.toFixed(2), ...words];
}

/** `off` is the module as it was written: its own text, which nothing of ours has touched. */
async function writeBoth(name: string, source: string, folder: string) {
  const off = join(folder, `${name.replaceAll(/\W+/g, "-")}.mjs`);
  await writeFile(off, source);
  const sources = openLiveSources(join(folder, "copies"));
  const prepared = await sources.prepare(off, "lean");
  if (prepared.kind !== "rewritten") throw new Error(`${name} is not rewritten: ${prepared.note}`);
  if ((await readFile(off, "utf8")) !== source) throw new Error("the module itself was changed");
  return { off, lean: prepared.copy };
}

/** Best, median and worst. */
function spread(times: readonly number[]): string {
  const shown = [Math.min(...times), median(times), Math.max(...times)];
  return shown.map((ms) => ms.toFixed(0)).join("/");
}
