// The bench of takeovers (`bun run bench:takeover`): how long jobs and callbacks stand still when the executor is killed.
import { spawnSync } from "node:child_process";
import { setTimeout as delay } from "node:timers/promises";
import { type ApiClient, createClient } from "../test/support/api-client.ts";
import { type Arrivals, hearArrivals } from "../test/support/arrivals.ts";
import { makeJobFiles } from "../test/support/job-folder.ts";
import { machineText } from "./machine.ts";
import { withProgram } from "./programs.ts";
import { type Cell, median, tableText } from "./report.ts";
import { removeFolders } from "./scratch.ts";

/** Longer than this means that something hangs. */
const LIMIT_MS = 300_000;
const FILES = [10, 40, 110];
const KILLS = 3;
/** Between two creates of each kind. */
const EVERY_MS = 15;
/** From a ready executor to its kill: its imports beside are over then. */
const BEFORE_KILL_MS = 12_000;

await main();

async function main(): Promise<void> {
  const limit = setTimeout(() => giveUp(), LIMIT_MS);
  console.log(await machineText(undefined));
  const head = ["job files", "callback ms", "most ms", "job ms", "most ms"];
  const rows: Cell[][] = [head];
  for (const files of FILES) rows.push(await measureFiles(files));
  console.log(
    tableText(`From kill -9 of the only executor to the next start, ${KILLS} kills each`, rows),
  );
  await removeFolders();
  clearTimeout(limit);
  process.exit(0);
}

function giveUp(): never {
  console.error(`the bench did not end within ${LIMIT_MS} ms`);
  process.exit(1);
}

async function measureFiles(files: number): Promise<Cell[]> {
  const arrivals = await hearArrivals();
  const env = { JOBS_DIR: await makeJobFiles(files) };
  const times = await withProgram({ name: "embedded", env }, async ({ url, pid }) => {
    const client = await createClient(url, { linkUrl: `${arrivals.url}/callback` });
    const callbacks: number[] = [];
    const jobs: number[] = [];
    for (let kill = 0; kill < KILLS; kill++) {
      await delay(BEFORE_KILL_MS);
      const [callbackMs, jobMs] = await measureKill(client, { arrivals, pid });
      callbacks.push(callbackMs);
      jobs.push(jobMs);
    }
    return { callbacks, jobs };
  });
  arrivals.close();
  const cells = [times.callbacks, times.jobs].flatMap((ms) => [median(ms), Math.max(...ms)]);
  return [String(files), ...cells];
}

async function measureKill(
  client: ApiClient,
  { arrivals, pid }: { readonly arrivals: Arrivals; readonly pid: number },
): Promise<readonly [callbackMs: number, jobMs: number]> {
  const { last, url, forget } = arrivals;
  // Whether a delivery was made by the dead executor is told by its path: only later tasks have these.
  const marks = { callback: "/callback", job: `/job-${performance.now()}` };
  const { stdout } = spawnSync("pgrep", ["-P", String(pid)], { encoding: "utf8" });
  process.kill(Number(stdout.trim()), "SIGKILL");
  const killedMs = performance.now();
  forget();
  while (!(last.has(marks.callback) && last.has(marks.job))) {
    if (!last.has(marks.callback)) await createCallback(client);
    if (!last.has(marks.job)) await client.createJob("job-0", { url: url + marks.job });
    await delay(EVERY_MS);
  }
  const since = (mark: string) => (last.get(mark) ?? Number.NaN) - killedMs;
  return [since(marks.callback), since(marks.job)];
}

async function createCallback(client: ApiClient): Promise<void> {
  const taskNo = crypto.randomUUID();
  await client.post("/task/create", { taskNo, name: "bench", content: {}, timeout: 5_000 });
}
