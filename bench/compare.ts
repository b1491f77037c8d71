// The comparison (`bun run bench:compare`): a job in `for(;;);` is cancelled by each product's own means; does its thread die?
import { createConnection } from "mysql2/promise";
import { createClient } from "../test/support/api-client.ts";
import { startPrivateMariadb, whyNoMariadb } from "../test/support/private-mariadb.ts";
import { startPrivateRedis, whyNoRedis } from "../test/support/private-redis.ts";
import { type Fate, findBusyThread, watchDeath } from "./busy-thread.ts";
import { machineText } from "./machine.ts";
import { JOBS_DIR, withProgram } from "./programs.ts";
import { type Cell, tableText } from "./report.ts";
import { BULLMQ, installRival, type Rival, SIDEQUEST, startRival, whyNoRivals } from "./rivals.ts";
import { removeFolders } from "./scratch.ts";

/** How long a thread is watched after it was cancelled. */
const WATCH_MS = 20_000;
const SPIN_LIMIT_MS = 30_000;
/** Longer than this means that something hangs. */
const LIMIT_MS = 280_000;

await main();

async function main(): Promise<void> {
  const limit = setTimeout(() => giveUp(), LIMIT_MS);
  console.log(await machineText(undefined));
  const rows: Cell[][] = [["", "answer", "thread gone after ms", "burnt meanwhile, ms of CPU"]];
  for (const job of ["quick", "quick-process"]) rows.push(await ourRow(job));
  const because = whyNoRivals();
  rows.push(await rowOf(BULLMQ, because ?? whyNoRedis(), bullmqRow));
  rows.push(await rowOf(SIDEQUEST, because ?? whyNoMariadb(), sidequestRow));
  console.log(
    tableText(
      `A job in for(;;); is cancelled, then watched for up to ${WATCH_MS / 1000} s from outside`,
      rows,
    ),
  );
  await removeFolders();
  clearTimeout(limit);
}

function giveUp(): never {
  console.error(`the bench did not end within ${LIMIT_MS} ms`);
  process.exit(1);
}

function ourRow(job: string): Promise<Cell[]> {
  return withProgram({ name: "embedded", env: { JOBS_DIR } }, async ({ url, pid }) => {
    const client = await createClient(url);
    const id = await client.createJob(job, { spin: true }, { timeout: 120_000 });
    const thread = await findBusyThread(pid, SPIN_LIMIT_MS);
    const [fate, answer] = await Promise.all([
      watchDeath(thread, WATCH_MS),
      client.post("/task/cancel", { id }),
    ]);
    const method = (answer.data as { method: string }).method;
    return [`ours, on a ${method}`, `cancel answered ${answer.msg}`, ...fateCells(fate)];
  });
}

/** What cannot run here is said, not left out. */
async function rowOf(
  rival: Rival,
  because: string | undefined,
  row: (folder: string) => Promise<Cell[]>,
): Promise<Cell[]> {
  if (because !== undefined) return [rival.name, `not measured: ${because}`];
  try {
    return [rival.name, ...(await row(await installRival(rival)))];
  } catch (thrown) {
    const [line = ""] = String(thrown).split("\n", 1);
    return [rival.name, `not measured: ${line}`];
  }
}

async function bullmqRow(folder: string): Promise<Cell[]> {
  const redis = await startPrivateRedis();
  try {
    return await cancelled(folder, { REDIS_PORT: String(redis.port) });
  } finally {
    await redis.stop();
  }
}

async function sidequestRow(folder: string): Promise<Cell[]> {
  const server = await startPrivateMariadb();
  try {
    const connection = await createConnection({ uri: server.url });
    await connection.query("CREATE DATABASE sidequest");
    connection.destroy();
    return await cancelled(folder, { DATABASE: server.url.replace(/\/mysql$/, "/sidequest") });
  } finally {
    await server.stop();
  }
}

async function cancelled(folder: string, env: Readonly<Record<string, string>>): Promise<Cell[]> {
  const rival = await startRival(folder, env);
  try {
    const thread = await findBusyThread(rival.pid, SPIN_LIMIT_MS);
    const [fate, answer] = await Promise.all([watchDeath(thread, WATCH_MS), rival.cancel()]);
    return [answer, ...fateCells(fate)];
  } finally {
    await rival.stop();
  }
}

function fateCells({ diedAfterMs, burntMs }: Fate): Cell[] {
  return [diedAfterMs ?? `never in ${WATCH_MS / 1000} s`, burntMs];
}
