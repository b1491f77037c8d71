// The bench (`bun run bench [--quick] [create|steps|jobs …]`): what creating and starting tasks costs, and where the time goes.
import { createConnection } from "mysql2/promise";
import { createClient } from "../test/support/api-client.ts";
import { bringUpServers, type TestServers } from "../test/support/bring-up.ts";
import { acquireServices, type FreshDatabase, type Services } from "../test/support/services.ts";
import { measureCreateRate } from "./create-rate.ts";
import { measureCreateSteps } from "./create-steps.ts";
import { warmUp } from "./ended-tasks.ts";
import { measureJobRate } from "./job-rate.ts";
import { machineText } from "./machine.ts";
import { type BenchOptions, FULL, QUICK } from "./options.ts";
import { type Shape, shapesHere, withProgram } from "./programs.ts";
import { type Cell, tableText } from "./report.ts";
import { removeFolders } from "./scratch.ts";
import { measureStartLatency } from "./start-latency.ts";

/** Longer than this means that something hangs. */
const LIMIT_MS = 240_000;
/** One for each server under load, one for the steps, one for the program. */
const DATABASES = 4;

const PARTS = ["create", "steps", "jobs"] as const;
type Part = (typeof PARTS)[number];

await main(process.argv.slice(2));

async function main(words: readonly string[]): Promise<void> {
  const options = words.includes("--quick") ? QUICK : FULL;
  const chosen = PARTS.filter((part) => words.includes(part));
  const parts = chosen.length === 0 ? PARTS : chosen;
  const startedAt = performance.now();
  const limit = setTimeout(() => giveUp(), LIMIT_MS);
  const servers = options.withServers ? await bringUpServers() : null;
  try {
    await measure(options, parts, await servicesOf(servers));
  } finally {
    await servers?.stop();
    await removeFolders();
    clearTimeout(limit);
  }
  console.log(`took ${((performance.now() - startedAt) / 1000).toFixed(0)} s`);
}

/** The watchdogs of the servers and programs end them with this process. */
function giveUp(): never {
  console.error(`the bench did not end within ${LIMIT_MS} ms`);
  process.exit(1);
}

function servicesOf(servers: TestServers | null): Promise<Services> {
  const nothing = { PATH: process.env["PATH"] };
  return acquireServices(servers === null ? nothing : { ...process.env, ...servers.environment });
}

async function measure(
  options: BenchOptions,
  parts: readonly Part[],
  services: Services,
): Promise<void> {
  const databases = await freshDatabases(services);
  const [first, second, third, fourth] = databases.map(({ url }) => url);
  const version = first === undefined ? undefined : await databaseVersion(first);
  console.log(await machineText(version));
  const loaded = first === undefined || second === undefined ? [] : [first, second];
  if (parts.includes("create")) console.log(await measureCreateRate(options, loaded));
  if (parts.includes("steps")) console.log(await measureCreateSteps(options, third));
  const shapes = parts.includes("jobs") ? shapesHere(services, fourth) : [];
  for (const shape of shapes) console.log(await measureProgram(shape, options));
  if (options.withServers) reportMissing(services);
  await Promise.all(databases.map((database) => database.drop()));
}

function freshDatabases({ mysql }: Services): Promise<FreshDatabase[]> {
  if (mysql === undefined) return Promise.resolve([]);
  return Promise.all(Array.from({ length: DATABASES }, () => mysql.freshDatabase()));
}

async function databaseVersion(url: string): Promise<string> {
  const connection = await createConnection({ uri: url });
  const [rows] = await connection.query("SELECT VERSION() AS version");
  connection.destroy();
  return (rows as { version: string }[])[0]?.version ?? "unknown";
}

async function measureProgram(shape: Shape, options: BenchOptions): Promise<string> {
  return withProgram(shape, async ({ url }) => {
    const client = await createClient(url);
    const dueAfter = await warmUp(client, "noop");
    const late = await measureStartLatency(client, dueAfter, options.timedTasks);
    const rates = [
      await measureJobRate(client, dueAfter, { job: "noop", tasks: options.warmTasks }),
      await measureJobRate(client, dueAfter, { job: "noop-fresh", tasks: options.freshTasks }),
    ];
    const lateHead: Cell[] = ["", "p50 ms", "p99 ms", "most ms"];
    const rateHead: Cell[] = ["", "jobs per second", "tasks", "seconds"];
    return [
      tableText(`Start of ${options.timedTasks} tasks, ${shape.name}`, [lateHead, ...late]),
      tableText(`Jobs that do nothing, ${shape.name}`, [rateHead, ...rates]),
    ].join("\n");
  });
}

function reportMissing({ missing }: Services): void {
  for (const name of ["mysql", "redis", "nsqd"] as const) {
    if (missing[name] !== undefined) console.log(`not measured with ${name}: ${missing[name]}`);
  }
}
