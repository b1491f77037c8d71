// Lets jobs of every trace fail in a job lane of either runtime, and prints the stacks of their errors as JSON.
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { TRACES } from "../../src/core/job.ts";
import { createJobLane } from "../../src/job/job-lane.ts";
import { claimed, silent } from "../support/claimed-task.ts";

const DEEP = `enum Color { Red, Green = "g" }
interface Thing<T> { readonly value: T }
const text = \`over
lines\`;
export class Deep<T> {
  constructor(private readonly color: Color = Color.Red) {}
  fall(thing: Thing<T>): never {
    for (const part of text.split("\\n")) if (part === "lines") throw new TypeError(String(this.color) + String(thing.value));
    throw new Error("never");
  }
}
`;

const job = (trace: string, isolation: string) => `import { defineJob } from "serendipity-job";
import { Deep } from "./lib/deep.ts";

async function inner(): Promise<void> {
  await new Promise((done) => setTimeout(done, 1));
  [1].map((value) => { new Deep<number>().fall({ value }); });
}
export default defineJob({
  name: "${trace}",
  trace: "${trace}",
  isolation: "${isolation}",
  async run() {
    try { await inner(); } catch (cause) { throw new Error("outer", { cause }); }
  },
});
`;

const [isolation = "warm"] = process.argv.slice(2);
const jobsDir = realpathSync(mkdtempSync(join(tmpdir(), "stacks (1) ö#%41 ")));
mkdirSync(join(jobsDir, "lib"));
writeFileSync(join(jobsDir, "lib/deep.ts"), DEEP);
for (const trace of TRACES) writeFileSync(join(jobsDir, `${trace}.ts`), job(trace, isolation));
const lane = await createJobLane({ jobsDir, slots: 1, logger: silent });
const stacks: string[] = [];
for (const trace of TRACES) {
  const { error } = await lane.start(claimed(trace, {})).ended;
  stacks.push(error?.stack?.replaceAll(`/${trace}.ts`, "/job.ts") ?? "no stack");
}
console.log(JSON.stringify(stacks));
await lane.close();
rmSync(jobsDir, { recursive: true });
process.exit(0);
