// Long jobs of one application beside a short one of another, through the whole program and on both kinds of job workers.
import { expect, setDefaultTimeout } from "bun:test";
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ApiClient, createClient, type Detail } from "../support/api-client.ts";
import { eventually } from "../support/eventually.ts";
import { afterAll, beforeAll, test } from "../support/long.ts";
import { TEST_LIMIT_MS } from "../support/patience.ts";
import { type Program, startProgram } from "../support/program.ts";

setDefaultTimeout(TEST_LIMIT_MS);

const KINDS = { "on-thread": "warm", "in-process": "process" } as const;

let jobsDir: string;
let program: Program;
let ours: ApiClient;
let theirs: ApiClient;
beforeAll(async () => {
  jobsDir = realpathSync(mkdtempSync(join(tmpdir(), "slot-share-")));
  for (const [name, isolation] of Object.entries(KINDS)) {
    writeFileSync(
      join(jobsDir, `${name}.ts`),
      `import { defineJob } from "serendipity-job";
export default defineJob({
  name: "${name}",
  isolation: "${isolation}",
  run: ({ long }, ctx) => (long ? ctx.sleep(600_000) : "done"),
});
`,
    );
  }
  program = await startProgram({ env: { JOBS_DIR: jobsDir, EXECUTOR_SLOTS: "4" } });
  [ours, theirs] = [await createClient(program.url), await createClient(program.url)];
  for (const client of [ours, theirs]) await ended(client, await shortOf(client));
  // Executors ask once a minute which applications create tasks, and at their start.
  await program.restart();
});
afterAll(async () => {
  await program.stop();
  rmSync(jobsDir, { recursive: true });
});

const shortOf = (client: ApiClient) => client.createJob("on-thread", { long: false });
const ended = (client: ApiClient, id: number) =>
  client.until(id, ({ status }) => status === "succeeded");

test("four long jobs on four slots leave one in which another application's starts at once", async () => {
  const long: number[] = [];
  for (const job of ["on-thread", "in-process", "in-process", "on-thread"]) {
    long.push(await ours.createJob(job, { long: true }, { timeout: 600_000 }));
  }
  const count = (details: readonly Detail[], status: string) =>
    details.filter((detail) => detail.status === status).length;
  const look = () => Promise.all(long.map((id) => ours.detail(id)));
  await eventually(async () => (count(await look(), "running") === 3 ? true : undefined));
  for (let times = 0; times < 3; times += 1) await ended(theirs, await shortOf(theirs));
  const now = await look();
  expect([count(now, "running"), count(now, "queued")]).toEqual([3, 1]);
  for (const id of long) await ours.post("/task/cancel", { id });
});
