// What goes on and what waits when the only executor is killed, through the whole program.
import { expect, setDefaultTimeout } from "bun:test";
import { randomUUID } from "node:crypto";
import { appendFileSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type ApiClient, createClient, isEnded } from "../support/api-client.ts";
import { type Arrivals, hearArrivals } from "../support/arrivals.ts";
import { eventually } from "../support/eventually.ts";
import { executorPid } from "../support/executor-pid.ts";
import { jobText, makeJobFiles } from "../support/job-folder.ts";
import { afterEach, test } from "../support/long.ts";
import { TEST_LIMIT_MS } from "../support/patience.ts";
import { type Program, startProgram } from "../support/program.ts";

const FILES = 40;
const SERVED_WITHIN_MS = 30_000;

setDefaultTimeout(TEST_LIMIT_MS);

let ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.toReversed()) await end();
  ends = [];
});

interface World {
  readonly jobsDir: string;
  readonly program: Program;
  readonly arrivals: Arrivals;
  readonly client: ApiClient;
}

async function open(jobsDir: string, env: Readonly<Record<string, string>> = {}): Promise<World> {
  const arrivals = await hearArrivals();
  // Longer than a machine can stand still: what is taken over here is proven dead.
  const program = await startProgram({ env: { JOBS_DIR: jobsDir, LEASE_MS: "300000", ...env } });
  const client = await createClient(program.url, { linkUrl: arrivals.url });
  ends.push(() => rmSync(jobsDir, { recursive: true }), arrivals.close, program.stop);
  return { jobsDir, program, arrivals, client };
}

/** Kills the executor that runs this task. */
async function killExecutorOf({ program, client }: World, id: number): Promise<string> {
  const { service_id } = await client.until(id, ({ status }) => status === "running");
  process.kill(executorPid(program, service_id ?? ""), "SIGKILL");
  return service_id ?? "";
}

async function deliver({ client, arrivals }: World): Promise<void> {
  arrivals.forget();
  await client.post("/task/create", {
    taskNo: randomUUID(),
    name: "c",
    content: {},
    timeout: 5000,
  });
  await eventually(() => arrivals.last.get("/"), SERVED_WITHIN_MS);
}

test("a successor serves callbacks and unchanged jobs while no other file is imported yet", async () => {
  const log = join(await makeJobFiles(0), "imports");
  const hold = `${log}.hold`;
  writeFileSync(log, "");
  const linesOf = (name: string) => `import { appendFileSync, existsSync } from "node:fs";
const isHeld = () => ${JSON.stringify(name)} !== "job-0" && existsSync(${JSON.stringify(hold)});
while (isHeld()) await new Promise((resolve) => setTimeout(resolve, 20));
appendFileSync(${JSON.stringify(log)}, process.pid + " ${name}\\n");`;
  const world = await open(await makeJobFiles(FILES, linesOf));
  const { client } = world;
  const id = await client.createJob("job-0", { sleepMs: 300 });
  writeFileSync(hold, "");
  const dead = await killExecutorOf(world, id);
  await deliver(world);
  const { attempts } = await client.until(id, isEnded, SERVED_WITHIN_MS);
  const successor = executorPid(world.program, attempts[1]?.service_id ?? "");
  const imported = readFileSync(log, "utf8")
    .split("\n")
    .filter((line) => line.startsWith(`${successor} `));
  rmSync(hold);
  expect(attempts.map(({ outcome }) => outcome)).toEqual(["lost", "succeeded"]);
  expect(attempts[0]?.service_id).toBe(dead);
  expect(new Set(imported)).toEqual(new Set([`${successor} job-0`]));
});

test("a successor runs a changed job as its file says now, and a new one", async () => {
  const world = await open(await makeJobFiles(2));
  const { client, jobsDir, arrivals } = world;
  const id = await client.createJob("job-0", { sleepMs: 300 });
  const fetching = `await fetch(${JSON.stringify(`${arrivals.url}/changed`)});`;
  appendFileSync(join(jobsDir, "job-1.ts"), fetching);
  writeFileSync(join(jobsDir, "new.ts"), jobText("new"));
  await killExecutorOf(world, id);
  await client.until(id, isEnded, SERVED_WITHIN_MS);
  await eventually(() => arrivals.last.get("/changed"), SERVED_WITHIN_MS);
  await eventually(async () => {
    const one = await client.createJob("new", {});
    const { status } = await client.until(one, isEnded, SERVED_WITHIN_MS);
    return status === "succeeded" || undefined;
  }, SERVED_WITHIN_MS);
});

test("a changed file that kills its executor costs a long job no more than it can bear", async () => {
  const world = await open(await makeJobFiles(2));
  const { client, jobsDir, program } = world;
  const id = await client.createJob("job-0", { sleepMs: 600_000 }, { timeout: 900_000 });
  const killing = jobText(
    "job-1",
    'import { spawnSync } from "node:child_process";\nspawnSync("/bin/kill", ["-9", String(process.pid)]);',
  );
  await client.until(id, ({ status }) => status === "running");
  writeFileSync(join(jobsDir, "job-1.ts"), killing);
  await killExecutorOf(world, id);
  await eventually(async () => {
    const deaths = (await program.log()).split("executor ended").length - 1;
    return deaths >= 5 ? true : undefined;
  }, 60_000);
  writeFileSync(join(jobsDir, "job-1.ts"), jobText("job-1"));
  const detail = await client.until(id, ({ status }) => status === "running", 60_000);
  expect(detail.attempts.map(({ outcome }) => outcome)).toEqual(["lost", "lost", null]);
  await client.post("/task/cancel", { id });
});

test("an executor that drains keeps its successor from nothing", async () => {
  // Without the mark in its environment the sleeper is not killed with the thread.
  const block = `import { spawnSync } from "node:child_process";
const block = () => spawnSync("/bin/sleep", ["60"], { env: {} });`;
  const jobsDir = await makeJobFiles(1);
  const text = jobText("job-1", block).replace("await ctx.sleep(sleepMs)", "block()");
  writeFileSync(join(jobsDir, "job-1.ts"), text);
  const world = await open(jobsDir, { EXECUTOR_DRAIN_MS: "60000" });
  const { client, program } = world;
  const beside = await client.createJob("job-0", { sleepMs: 600_000 }, { timeout: 900_000 });
  const { service_id } = await client.until(beside, ({ status }) => status === "running");
  await client.createJob("job-1", {}, { timeout: 200 });
  await eventually(
    async () => (await program.log()).includes("the executor is replaced") || undefined,
    SERVED_WITHIN_MS,
  );
  await deliver(world);
  const id = await client.createJob("job-0", {});
  const { attempts } = await client.until(id, isEnded, SERVED_WITHIN_MS);
  expect(attempts[0]?.service_id).not.toBe(service_id);
  expect(await client.detail(beside)).toMatchObject({ status: "running", service_id });
  await client.post("/task/cancel", { id: beside });
});
