// Runs shapes as attempts of a job lane, looks at them as a detail does, and prints what was seen as JSON lines.
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { LiveView } from "../../src/core/attempt.ts";
import { createJobLane, type JobLane } from "../../src/job/job-lane.ts";
import { claimed, silent } from "../support/claimed-task.ts";
import { marksOf, openServer, placeOf } from "./sample-shapes.ts";
import { type Shape, SPINNING, WAITING, WAITING_IN_CTX } from "./shapes.ts";

/** One line of what is printed. */
export interface Looked {
  readonly shape: string;
  /** `file:line function` that the marks allow. */
  readonly marks: readonly string[];
  /** State and innermost frame of each look. */
  readonly seen: readonly string[];
  readonly last: LiveView;
}

const FOUND_LIMIT_MS = 40_000;
const LOOKS = 3;
const INTERVAL_MS = 5;
const AT_ONCE = 2;

const job = (isolation: string) => `import { defineJob } from "serendipity-job";
export default defineJob({
  name: "shape",
  isolation: "${isolation}",
  async run({ main }, ctx) {
    const { default: run } = await import(main);
    await run(ctx);
  },
});
`;

interface World {
  readonly lane: JobLane;
  readonly jobsDir: string;
}

async function look(name: string, shape: Shape, { lane, jobsDir }: World): Promise<Looked> {
  const folder = join(jobsDir, name.replace(/\W+/g, "-"));
  for (const [file, text] of Object.entries(shape.files)) {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    writeFileSync(join(folder, file), text);
  }
  const marks = Object.entries(shape.files).flatMap(([file, text]) =>
    marksOf(join(folder, file), text),
  );
  const [main = ""] = Object.keys(shape.files);
  const attempt = lane.start(claimed("shape", { main: join(folder, main) }, 60_000));
  const isThere = ({ state, frames }: LiveView) =>
    marks.includes(placeOf(frames[0])) && state === shape.state;
  const endMs = performance.now() + FOUND_LIMIT_MS;
  let last = await attempt.inspect();
  while (performance.now() < endMs && !isThere(last)) {
    await delay(INTERVAL_MS);
    last = await attempt.inspect();
  }
  const seen: string[] = [];
  for (let at = 0; at < LOOKS; at++) {
    last = await attempt.inspect();
    seen.push(`${last.state} ${placeOf(last.frames[0])}`);
    await delay(INTERVAL_MS);
  }
  attempt.stop("cancel");
  await attempt.gone;
  return { shape: name, marks, seen, last };
}

const [isolation = "warm", ...names] = process.argv.slice(2);
const all: Readonly<Record<string, Shape>> = { ...SPINNING, ...WAITING, ...WAITING_IN_CTX };
const url = await openServer();
const jobsDir = realpathSync(mkdtempSync(join(tmpdir(), "shapes-in-lane-")));
writeFileSync(join(jobsDir, "shape.ts"), job(isolation));
const env = { SILENT_URL: `${url}/silent`, DRIPPING_URL: `${url}/drip` };
const lane = await createJobLane({ jobsDir, slots: AT_ONCE, logger: silent, env });
const left = (names.length > 0 ? names : Object.keys(all)).entries();
const work = async () => {
  for (const [, name] of left) {
    const shape = all[name];
    if (shape === undefined) throw new Error(`no shape '${name}'`);
    console.log(JSON.stringify(await look(name, shape, { lane, jobsDir })));
  }
};
await Promise.all(Array.from({ length: AT_ONCE }, work));
await lane.close();
rmSync(jobsDir, { recursive: true });
process.exit(0);
