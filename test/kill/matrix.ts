// The whole kill matrix: `bun run test:kill` prints it and writes docs/kill-matrix.md; it ends with 1 when a row is wrong.
// With `--seconds N` it takes a random part of the rows and writes nothing.
import { writeFileSync } from "node:fs";
import { PHASES, storm } from "../job/stop-storm.ts";
import { openSample } from "../support/sample.ts";
import { CASES, isAboutMemory, type KillCase, needsExecutor } from "./cases.ts";
import { commandOf, openLane } from "./lane.ts";
import { type Leaks, leaksOf } from "./leaks.ts";
import { openProgram } from "./program.ts";
import type { Row, RuntimeName } from "./row.ts";

const ENDINGS = ["timeout", "cancel"] as const;
const LANES = [
  { runtime: "Bun", isolation: "thread" },
  { runtime: "Bun", isolation: "process" },
  { runtime: "Deno", isolation: "process" },
] as const;

function endingsOf({ outcome }: KillCase): readonly (typeof ENDINGS)[number][] {
  return outcome === "timed_out" ? ENDINGS : ["timeout"];
}

const sample = openSample(process.argv);

type Case = readonly [killCase: KillCase, ending: (typeof ENDINGS)[number]];

/** Runs the cases one after the other until a sample has had its share of the time. */
async function runCases(
  cases: readonly KillCase[],
  untilShare: number,
  run: (...which: Case) => Promise<Row>,
): Promise<Row[]> {
  const rows: Row[] = [];
  const all = cases.flatMap((killCase) =>
    endingsOf(killCase).map((ending): Case => [killCase, ending]),
  );
  for (const [killCase, ending] of sample.order(all)) {
    if (sample.isTimeLeft(untilShare)) rows.push(show(await run(killCase, ending)));
  }
  return rows;
}

interface LaneChoice {
  readonly runtime: RuntimeName;
  readonly isolation: "thread" | "process";
  readonly untilShare: number;
}

async function runLane({ runtime, isolation, untilShare }: LaneChoice): Promise<Row[]> {
  const lane = openLane(runtime, isolation);
  const isHere = ({ onThread }: KillCase) => isolation === "process" || onThread === undefined;
  const rows = await runCases(CASES.filter(isHere), untilShare, lane.run);
  lane.close();
  return rows;
}

async function runProgram(): Promise<Row[]> {
  const program = await openProgram();
  const rows = await runCases(CASES.filter(needsExecutor), 0.7, program.run);
  await program.stop();
  return rows;
}

async function runMemory(): Promise<Row[]> {
  const program = await openProgram({ EXECUTOR_RSS_MB: "900" });
  const rows = await runCases(CASES.filter(isAboutMemory), 0.8, program.runMemory);
  await program.stop();
  return rows;
}

function show(row: Row): Row {
  console.log(lineOf(row));
  return row;
}

function lineOf({ wrong, ...row }: Row): string {
  const verdict = wrong.length === 0 ? "right" : wrong.join("; ");
  return `| ${[...Object.values(row), verdict].join(" | ")} |`;
}

const rows: Row[] = [];
for (const [at, { runtime, isolation }] of LANES.entries()) {
  if (commandOf(runtime) === null) console.log(`no ${runtime} here: its rows are left out`);
  else rows.push(...(await runLane({ runtime, isolation, untilShare: 0.2 * (at + 1) })));
}
rows.push(...(await runProgram()), ...(await runMemory()));
// These count and do not measure time: they may share the machine.
const here = LANES.filter(({ runtime }) => commandOf(runtime) !== null);
const leaks: Leaks[] = await Promise.all(
  here.map(({ runtime, isolation }) => leaksOf(runtime, isolation, sample.isWhole ? 100 : 5)),
);
for (const { line } of leaks) console.log(line);

const beside = await storm({
  stops: (sample.isWhole ? 200 : 5) * PHASES.length,
  innocents: 20,
  isChecked: true,
  patienceMs: 60_000,
});
const disturbed = [...beside.disturbed, ...(beside.notProven > 0 ? ["a stop is not proven"] : [])];
const besideLine = `${sample.isWhole ? 200 : 5} stops at each of ${PHASES.join(", ")}: ${beside.innocents} attempts beside them, ${disturbed.length} disturbed`;
console.log(besideLine);

const document = `# Kill matrix

Written by \`bun run test:kill\`; do not edit. Every row is a real attempt. "right" means: the outcome is as it must be; the receipt is a proof, in time, with reason and by whom; the trace knows where it was; an attempt beside it was not disturbed (on the executor's path: interrupted, uncharged, and run again by the successor); and from outside no thread burns, no process lives and no file grows any more. The latency counts from the deadline, the cancel or the crash to the proof, in ms.

A regex or a JSON.parse is one call of the engine: a thread dies when it ends. On the executor's path a thread gets 2 s before its executor is replaced. The engine stops a thread only where it finds it in JavaScript: a loop of nothing but short system calls, or of large BigInt products, could need that too (from 0.02 s to more than 2 s). Watched code stands still for it, see [the record](decisions/0013-process-isolation.md). Where a job is not watched (\`trace: "off"\`), in packages, and in BigInt arithmetic whose results go into properties only, it is still a matter of luck: such a job belongs in a process; or \`BUN_JSC_usePollingTraps=1\` in the environment of the program makes it 3 to 20 ms, for 10 to 45 % of the speed of the tightest loops. An import that spins is cancelled when it has written a byte. Deno cannot kill threads: jobs run in processes there.

| runtime | isolation | ending | what the job does | outcome | method | latency ms | verdict |
|---|---|---|---|---|---|---|---|
${rows.map(lineOf).join("\n")}

## What is left after 100 repeats of each cheap case
| runtime | isolation | before | after | left behind |
|---|---|---|---|---|
${leaks.map(({ line }) => line).join("\n")}

${besideLine}.

Bun keeps files open that a killed thread had open; a killed process leaves none.
`;
if (sample.isWhole) {
  writeFileSync(new URL("../../docs/kill-matrix.md", import.meta.url), document);
}
const wrong = [...rows, ...leaks, { wrong: disturbed }].filter((row) => row.wrong.length > 0);
console.log(`${rows.length} rows, ${leaks.length} looks at what is left, ${wrong.length} wrong`);
process.exit(wrong.length > 0 ? 1 : 0);
