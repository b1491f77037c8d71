// Proves that a job with `trace: off` runs its own text, also what it imports, while others run rewritten ones.
import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { finish, openLane } from "../job/attempts.ts";
import { claimed } from "../support/claimed-task.ts";

const WORK = `export function work(list: readonly number[]) {
  for (const item of list) console.log(item);
}
`;
const job = (trace: string, isolation: string) => `import { defineJob } from "serendipity-job";
import { work } from "./work.mts";
export default defineJob({
  name: "${trace}-${isolation}",
  trace: "${trace}",
  isolation: "${isolation}",
  run() {
    work([]);
    return [String(work), Object.keys(Object.getOwnPropertyDescriptors(globalThis))];
  },
});
`;

const jobsDir = realpathSync(mkdtempSync(join(tmpdir(), "trace-off-")));
afterAll(() => rmSync(jobsDir, { recursive: true }));
writeFileSync(join(jobsDir, "work.mts"), WORK);
for (const isolation of ["warm", "process"]) {
  for (const trace of ["off", "lean"]) {
    writeFileSync(join(jobsDir, `${trace}-${isolation}.ts`), job(trace, isolation));
  }
}
const lane = await openLane({ jobsDir });

test.each(["warm", "process"])(
  "in a %s job nothing of ours is in its text nor among its globals",
  async (isolation) => {
    const { end: off } = await finish(lane.start(claimed(`off-${isolation}`, {})));
    const { end: lean } = await finish(lane.start(claimed(`lean-${isolation}`, {})));
    expect(off.result).toContain("console.log(item)");
    expect(off.result).not.toContain("__sj");
    expect(lean.result).toContain("__sj");
  },
);
