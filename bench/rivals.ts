// Other products with a job that spins: installed by npm into a temporary folder, run as their documentation shows.
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { promisify } from "node:util";
import { findBinary } from "../test/support/find-binary.ts";
import { emptyFolder } from "./scratch.ts";

const run = promisify(execFile);
const INSTALL_LIMIT_MS = 120_000;

export interface Rival {
  readonly name: string;
  readonly packages: readonly string[];
  /** Files of its folder. `main.mjs` prints `started` and then acts on the word it reads from its input. */
  readonly files: Readonly<Record<string, string>>;
}

const BULLMQ_MAIN = `
import { Queue, Worker } from "bullmq";
import { fileURLToPath } from "node:url";
const connection = { host: "127.0.0.1", port: Number(process.env.REDIS_PORT) };
const queue = new Queue("spin", { connection });
const file = fileURLToPath(new URL("./processor.mjs", import.meta.url));
const worker = new Worker("spin", file, { connection, useWorkerThreads: true });
worker.on("error", () => undefined);
const job = await queue.add("spin", {});
console.log("started");
process.stdin.on("data", () => console.log(\`cancelJob answered \${worker.cancelJob(job.id, "the bench")}\`));
`;

const SIDEQUEST_MAIN = `
import { Sidequest } from "sidequest";
import { SpinJob } from "./spin-job.mjs";
await Sidequest.start({
  backend: { driver: "@sidequest/mysql-backend", config: process.env.DATABASE },
  queues: [{ name: "default" }],
  dashboard: { enabled: false },
  logger: { level: "error" },
});
const job = await Sidequest.build(SpinJob).maxAttempts(1).enqueue();
console.log("started");
process.stdin.on("data", async () => {
  const { state } = await Sidequest.job.cancel(job.id);
  console.log(\`job.cancel answered \${state}\`);
});
`;

const SIDEQUEST_JOB = `
import { Job } from "sidequest";
export class SpinJob extends Job { run() { for (;;); } }
`;

export const BULLMQ: Rival = {
  name: "BullMQ 6.7.0, sandboxed, useWorkerThreads",
  packages: ["bullmq@6.7.0", "ioredis@5.11.1"],
  files: { "main.mjs": BULLMQ_MAIN, "processor.mjs": "export default () => { for (;;); };" },
};

export const SIDEQUEST: Rival = {
  name: "Sidequest 1.16.4",
  packages: ["sidequest@1.16.4", "@sidequest/mysql-backend@1.16.4"],
  files: { "main.mjs": SIDEQUEST_MAIN, "spin-job.mjs": SIDEQUEST_JOB },
};

/** Why none of them can run here, or undefined. */
export function whyNoRivals(): string | undefined {
  const missing = ["node", "npm"].filter((name) => findBinary(name) === undefined);
  return missing.length === 0 ? undefined : `${missing.join(" and ")} is not installed`;
}

/** Makes its folder. Rejects when npm cannot install it. */
export async function installRival({ packages, files }: Rival): Promise<string> {
  const folder = await emptyFolder();
  await writeFile(join(folder, "package.json"), '{ "private": true, "type": "module" }');
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
  const flags = ["--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"];
  await run("npm", ["install", ...flags, ...packages], { cwd: folder, timeout: INSTALL_LIMIT_MS });
  return folder;
}

export interface RunningRival {
  readonly pid: number;
  /** Cancels its job by its own means; resolves to what it answered. */
  cancel(): Promise<string>;
  stop(): Promise<void>;
}

export async function startRival(
  folder: string,
  env: Readonly<Record<string, string>>,
): Promise<RunningRival> {
  const child = spawn("node", ["main.mjs"], {
    cwd: folder,
    env: { PATH: process.env["PATH"], ...env },
    stdio: ["pipe", "pipe", "inherit"],
    detached: true,
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  await nextLine(lines, "started");
  return {
    pid: child.pid ?? 0,
    async cancel() {
      child.stdin.write("cancel\n");
      return nextLine(lines, "answered");
    },
    stop: () => killGroup(child),
  };
}

/** The next one that holds `word`; what else it prints is passed over. */
async function nextLine(lines: AsyncIterator<string>, word: string): Promise<string> {
  for (;;) {
    const next = await lines.next();
    if (next.done === true) throw new Error(`it ended before it said '${word}'`);
    if (next.value.includes(word)) return next.value;
  }
}

async function killGroup(child: ChildProcess): Promise<void> {
  const exited = once(child, "exit");
  if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
  await exited;
}
