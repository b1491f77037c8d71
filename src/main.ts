// Entry of the program: reads the command line and the settings, puts the parts together, hears signals.
import { readFileSync } from "node:fs";
import { createBus, createQueue, createStore } from "./adapters.ts";
import { type Api, startApi, startHealth } from "./api.ts";
import { bannerText } from "./banner.ts";
import { type Command, helpText, readCommandLine } from "./cli.ts";
import { type Config, loadConfig, loadFailpointModule } from "./config/config.ts";
import { patternsCheckedLate } from "./core/check-params.ts";
import { AppError, messageOf } from "./core/errors.ts";
import type { JobDefinition } from "./core/job.ts";
import type { Logger } from "./core/logger.ts";
import { createSecretBox, keyFromText, rememberOpened } from "./core/secret-box.ts";
import { type DataDirHold, holdDataDir, readEmbeddedKey } from "./data-dir.ts";
import { createSupervisor, type Supervisor } from "./executor/supervisor.ts";
import { type Catalogue, importWays, loadCatalogue } from "./job/catalogue.ts";
import { createJobProcess } from "./job/host/job-process.ts";
import { createJobThread } from "./job/host/job-thread.ts";
import { refuseDuplicates } from "./job/refuse-duplicates.ts";
import { liftedText } from "./lifted-text.ts";
import { openTracing } from "./live/tracing.ts";
import { createLogger } from "./log.ts";
import { whyNoThreads } from "./process/runtime.ts";
import { hearSignals } from "./process/signals.ts";
import type { Store } from "./store/store.ts";
import { verifySecretKey } from "./use-cases/verify-secret-key.ts";

const EX_CONFIG = 78;
const STORE_POOL = 10;
const VERSION = readVersion();

await loadFailpointModule();
await main(process.argv.slice(2)).catch(endWithError);

async function main(argv: readonly string[]): Promise<void> {
  const line = readCommandLine(argv);
  if (line.kind === "version") return console.log(VERSION);
  if (line.kind === "help") return console.log(helpText(line.command));
  const warn = (text: string) => console.error(`warning: ${text}`);
  const config = loadConfig({ role: line.role, watchJobs: line.watch, warn });
  const logger = createLogger({ level: config.logLevel });
  const commands: Readonly<Record<Command, () => Promise<void>>> = {
    start: () => start(config, logger),
    migrate: () => migrate(config, logger, line.margin),
    check: () => check(config, logger),
  };
  await commands[line.command]();
}

function warnOfLegacyPayload({ legacyPayloadUntil }: Config, logger: Logger): void {
  if (legacyPayloadUntil === null) return;
  const until = new Date(legacyPayloadUntil).toISOString();
  const isOver = legacyPayloadUntil <= Date.now();
  logger.warn(
    { until },
    isOver
      ? "ALLOW_LEGACY_PAYLOAD is over: ready-made headers expire again, and the setting can go"
      : "ALLOW_LEGACY_PAYLOAD is on: ready-made headers are good however old they are",
  );
}

async function start(config: Config, logger: Logger): Promise<void> {
  const hold = config.shape === "embedded" ? holdDataDir(config.dataDir) : null;
  const key = keyFromText(config.secretKey ?? readEmbeddedKey(config.dataDir));
  warnOfLegacyPayload(config, logger);
  const store = await openStore(config, logger);
  await verifySecretKey(store, createSecretBox(key));
  const supervisor = config.role === "api" ? null : createSupervisor({ config, key, logger });
  const program = { config, logger, store, supervisor, hold, key };
  let isDraining = false;
  const api = await serve(program, () => isDraining);
  hearSignals({
    first: () => {
      isDraining = true;
      shutDown(program, api).catch(endWithError);
    },
    second: () => {
      supervisor?.kill();
      process.exit(1);
    },
  });
  const jobs = (await supervisor?.start()) ?? null;
  const shown = { ...config, port: api.port };
  console.error(bannerText({ config: shown, version: VERSION, jobs }));
  logger.info(
    { version: VERSION, shape: config.shape, role: config.role, port: api.port },
    "started",
  );
}

interface Program {
  readonly config: Config;
  readonly logger: Logger;
  readonly store: Store;
  readonly supervisor: Supervisor | null;
  readonly hold: DataDirHold | null;
  readonly key: Uint8Array;
}

async function openStore(config: Config, logger: Logger): Promise<Store> {
  const store = await createStore(
    { config, logger },
    { poolSize: STORE_POOL, deadlineMs: config.createDeadlineMs },
  );
  if (config.migrate) await store.migrate();
  else await store.checkSchema();
  return store;
}

async function serve(program: Program, isDraining: () => boolean): Promise<Api> {
  const { config, logger, store, supervisor, key } = program;
  if (config.role === "executor") {
    return startHealth(config, () => supervisor?.isReady() === true && !isDraining());
  }
  const links = supervisor === null ? [] : [supervisor.link];
  const queue = await createQueue({ config, logger }, links);
  const bus = await createBus({ config, logger }, links);
  const box = createSecretBox(key);
  const secretBox = { ...box, ...rememberOpened(box) };
  const api = await startApi({
    config,
    logger,
    store,
    queue,
    bus,
    secretBox,
    version: VERSION,
    isDraining,
    isStarted: () => supervisor?.hasBeenReady() ?? true,
  });
  return {
    port: api.port,
    stop: async () => {
      await api.stop();
      await Promise.all([queue.close(), bus.close()]);
    },
  };
}

/** Executors first, so that the API can answer until the last attempt is written. */
async function shutDown(
  { config, logger, store, supervisor, hold }: Program,
  api: Api,
): Promise<void> {
  logger.info({}, "stopping: running attempts may end, the rest is handed back");
  await supervisor?.drain(config.shutdownTimeoutMs);
  await api.stop();
  await store.close();
  hold?.release();
  logger.info({}, "stopped");
  process.exit(0);
}

async function migrate(config: Config, logger: Logger, margin?: number): Promise<void> {
  const hold = config.shape === "embedded" ? holdDataDir(config.dataDir) : null;
  const store = await createStore({ config, logger }, { poolSize: 1 });
  await store.migrate();
  console.log("the schema is up to date");
  if (margin !== undefined) {
    // The holder of DATA_DIR is alone with its database.
    console.log(liftedText(await store.liftCounters(margin, hold !== null), margin));
  }
  await store.close();
  hold?.release();
}

async function check(config: Config, logger: Logger): Promise<void> {
  const { jobs, badFiles } = await checkJobs(config, logger);
  console.log(`settings: right (${config.shape})`);
  console.log(`jobs: ${jobs.length} in ${config.jobsDir}`);
  for (const { definition } of jobs) {
    for (const note of notesOn(definition)) console.log(`  ${definition.name}: ${note}`);
  }
  if (badFiles.length === 0) return process.exit(0);
  const lines = badFiles.map(({ file, message }) => `\n  ${file}: ${message}`);
  throw new AppError("configuration", `${badFiles.length} bad job files:${lines.join("")}`);
}

/** What is not wrong, but should be known. */
function notesOn(definition: JobDefinition): string[] {
  const late = patternsCheckedLate(definition);
  return [
    ...definition.untraced.map(({ file, note }) => `no live lines in ${file}: ${note}`),
    ...late.map((pattern) => `checked only when the job starts: pattern ${pattern}`),
  ];
}

async function checkJobs(config: Config, logger: Logger): Promise<Catalogue> {
  const { jobsDir } = config;
  const tracing = openTracing(undefined, logger);
  const ways = importWays({
    thread: () => createJobThread({}, { sources: tracing.sources }),
    process: () => createJobProcess({ env: {}, tracing }),
  });
  const noThreads = whyNoThreads(config);
  try {
    const catalogue = await loadCatalogue({ jobsDir, ...ways, logger, noThreads });
    refuseDuplicates(catalogue);
    return catalogue;
  } finally {
    tracing.close();
  }
}

function readVersion(): string {
  const text = readFileSync(new URL("../package.json", import.meta.url), "utf8");
  return (JSON.parse(text) as { version: string }).version;
}

function endWithError(thrown: unknown): never {
  const isConfiguration = thrown instanceof AppError && thrown.code === "configuration";
  // What is expected says itself; a defect comes with its stack.
  console.error(thrown instanceof AppError ? messageOf(thrown) : thrown);
  process.exit(isConfiguration ? EX_CONFIG : 1);
}
