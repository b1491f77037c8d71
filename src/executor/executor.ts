// Entry of an executor process: two consumer threads, the live answers, reap and retention. Loads no job code.

import { hostname } from "node:os";
import { join } from "node:path";
import { createBus, createQueue, createStore } from "../adapters.ts";
import type { Bus } from "../bus/bus.ts";
import { loadFailpointModule } from "../config/config.ts";
import type { MemoryPressure } from "../consumer/memory-evidence.ts";
import type { FeedNews } from "../consumer/watched.ts";
import { logAttemptEnd } from "../core/attempt-log.ts";
import { AppError, messageOf } from "../core/errors.ts";
import { failpoint } from "../core/failpoints.ts";
import type { LiveAnswer, LiveQuestion } from "../core/live.ts";
import type { Logger } from "../core/logger.ts";
import { LANES, type Lane } from "../core/task.ts";
import { delay } from "../core/within.ts";
import { placesIn, removeFolder } from "../live/read-crash-dumps.ts";
import { createLogger } from "../log.ts";
import { linkOfProcess } from "../process/ipc-link.ts";
import { onOrphaned } from "../process/orphaned.ts";
import type { Store } from "../store/store.ts";
import { takeOver } from "../use-cases/reap.ts";
import { type GroupNews, isFor, type LoadedJobs } from "./consumer-protocol.ts";
import type { DeadExecutor, FromExecutor, ToExecutor } from "./executor-protocol.ts";
import { keepHouse } from "./housekeeping.ts";
import { watchMemory } from "./memory-watch.ts";
import { type ConsumerThread, createConsumerThread } from "./thread-handle.ts";

type Start = Extract<ToExecutor, { kind: "start" }>;

/** An executor at work. */
interface Executor {
  /** Rings for what was taken over. */
  ring(): Promise<unknown>;
  drain(graceMs: number): Promise<void>;
}

await loadFailpointModule();
const parent = linkOfProcess(process);
const say = (message: FromExecutor) => parent.send(message);

// Without the main process nobody would kill or replace this one: it takes its group, and so every job, with it.
onOrphaned(killOwnGroup);
// The main process decides when to stop; a signal to the whole group must not cut a drain short.
process.on("SIGINT", () => undefined);
process.on("SIGTERM", () => undefined);

let executor: Promise<Executor> | null = null;
const opened = Promise.withResolvers<DeathDeps>();
parent.onMessage((message) => {
  if (!isFor<ToExecutor>("executor", message)) return;
  if (message.kind === "start") executor = start(message);
  if (message.kind === "dead") settle(message.dead).catch(fail);
  if (message.kind === "drain") drain(message.graceMs).catch(fail);
});
say({ to: "main", kind: "hello" });

async function start(message: Start): Promise<Executor> {
  try {
    return await createExecutor(message);
  } catch (thrown) {
    fail(thrown);
    return new Promise(() => undefined);
  }
}

/** The main process kills this one and decides whether to start another. */
function fail(thrown: unknown): void {
  const isConfiguration = thrown instanceof AppError && thrown.code === "configuration";
  say({ to: "main", kind: "failed", failure: { isConfiguration, message: messageOf(thrown) } });
}

/** Before anything else, as soon as the store is open: somebody may wait for the proof. */
async function settle(dead: DeadExecutor): Promise<void> {
  await settleDeath(dead, await opened.promise);
  executor?.then(({ ring }) => ring(), fail);
  say({ to: "main", kind: "death-settled", serviceId: dead.serviceId });
}

async function drain(graceMs: number): Promise<void> {
  await (await executor)?.drain(graceMs);
  say({ to: "main", kind: "drained" });
}

function killOwnGroup(): void {
  process.kill(-process.pid, "SIGKILL");
}

async function createExecutor({ config, serviceId, key, inherited }: Start): Promise<Executor> {
  const logger = createLogger({ level: config.logLevel }).child({ service_id: serviceId });
  const data = { config, serviceId, key: new Uint8Array(Buffer.from(key, "base64")), inherited };
  const registered = Promise.withResolvers<Store>();
  const publish = createPublisher({ serviceId, logger, registered: registered.promise });
  const threads = LANES.map((lane) => createConsumerThread({ ...data, lane }, eventsOf(lane)));
  const loading = Promise.all(threads.map((thread) => thread.loaded));
  const published = Promise.all(threads.map(({ loaded }) => loaded.then(publish)));
  // Both are awaited below; until then nobody hears that they failed.
  for (const later of [loading, published]) later.catch(() => undefined);
  const store = await createStore({ config, logger }, { poolSize: 4 });
  await store.checkSchema();
  const dumpsDir = join(config.dataDir, "live");
  opened.resolve({ store, logger, dumpsDir });

  const queue = await createQueue({ config, logger }, [parent, ...threads.map(({ link }) => link)]);
  const bus = await createBus({ config, logger }, [parent]);
  await bus.serve(serviceId, (question) => ask(threads, question));
  const jobs = jobsOf(await loading);
  await store.executors.register({ serviceId, host: hostname(), pid: process.pid });
  failpoint("executor-registered");
  registered.resolve(store);
  // What was inherited is in the catalogue already: it keeps no lane waiting.
  if (inherited === null) await published;
  await Promise.all(threads.map((thread) => thread.begin()));
  for (const thread of threads) thread.importAll();
  const stopHousekeeping = keepHouse({ store, serviceId, config, logger, dumpsDir });
  const { executorRssMb: limitMb } = config;
  const onPressure = (memory: MemoryPressure) => {
    for (const thread of threads) thread.shed(memory);
  };
  if (limitMb !== null) watchMemory({ limitMb, onPressure, logger });
  say({ to: "main", kind: "ready", jobs });

  function eventsOf(lane: Lane) {
    return {
      onUnkillable: (taskId: number) => {
        retire(taskId).catch(fail);
      },
      onNews: (news: FeedNews) => hearNews(bus, news),
      onJobs: (found: LoadedJobs) => {
        say({ to: "main", kind: "imported", jobs: found });
        publish(found).catch(fail);
      },
      onGroup: ({ group, isAlive }: GroupNews) =>
        say({ to: "main", kind: "group", group, isAlive }),
      onDeath: (why: string) => {
        logger.error(
          { lane, error: why },
          "a consumer thread died: the executor ends and is replaced",
        );
        killOwnGroup();
      },
    };
  }

  /** A thread burns that nobody can end from inside: the main process starts a successor and kills this group. */
  async function retire(taskId: number): Promise<void> {
    logger.warn({ task_id: taskId }, "an attempt cannot be killed alone: the executor is replaced");
    say({ to: "main", kind: "retiring", taskId });
    await Promise.all(threads.map((thread) => thread.drain(config.executorDrainMs)));
    say({ to: "main", kind: "retired" });
  }

  return {
    ring: () => Promise.allSettled(LANES.map((lane) => queue.ring({ lane, dueInMs: 0 }))),
    drain: async (graceMs) => {
      // A stop may soon be followed by a kill: from this mark on that is no death of what still runs.
      const noted = noteStopping(store, { serviceId, logger });
      await Promise.all([noted, ...threads.map((thread) => thread.drain(graceMs))]);
      await stopHousekeeping();
      await store.executors.declareDead(serviceId).catch(() => undefined);
      removeFolder(join(dumpsDir, serviceId));
      await Promise.all([bus.close(), queue.close(), store.close()]);
    },
  };
}

async function noteStopping(store: Store, { serviceId, logger }: OwnDeps): Promise<void> {
  try {
    await store.executors.noteStopping(serviceId);
    logger.info({}, "told to stop: nothing is claimed any more");
  } catch (thrown) {
    logger.warn({ error: messageOf(thrown) }, "that it was told to stop could not be noted");
  }
}

/** Puts what a watched attempt said on its feed. */
function hearNews(bus: Bus, { feed: name, events, isEnded }: FeedNews): void {
  const feed = bus.openFeed(name);
  if (events.length > 0) feed.append(events);
  if (isEnded) feed.end();
}

/** Only the thread of the job lane has jobs. */
function jobsOf(loaded: readonly (LoadedJobs | null)[]): LoadedJobs {
  const [jobs = null] = loaded.filter((each) => each !== null);
  return jobs ?? { jobs: [], badFiles: [], pending: 0 };
}

interface OwnDeps {
  readonly serviceId: string;
  readonly logger: Logger;
}

interface PublishDeps extends OwnDeps {
  readonly registered: Promise<Store>;
}

/** Publishes one catalogue after the other, as soon as the executor is registered: what was told last must stand. */
function createPublisher({ serviceId, logger, registered }: PublishDeps) {
  let last: Promise<unknown> = Promise.resolve();
  return (jobs: LoadedJobs | null): Promise<unknown> => {
    if (jobs === null) return last;
    const definitions = jobs.jobs.map(({ definition }) => definition);
    last = last.then(async () => {
      const store = await registered;
      await untilDone(() => store.catalogue.publish(serviceId, definitions), {
        logger,
        failure: "publishing the catalogue is repeated",
      });
    });
    return last;
  };
}

/** Only the thread of the attempt's lane knows it; the other one says `unknown`. */
async function ask(
  threads: readonly ConsumerThread[],
  question: LiveQuestion,
): Promise<LiveAnswer> {
  const answers = await Promise.all(threads.map((thread) => thread.ask(question)));
  return answers.find((answer) => answer.kind !== "unknown") ?? { kind: "unknown" };
}

interface DeathDeps {
  readonly store: Store;
  readonly logger: Logger;
  /** Holds what each executor of this machine leaves. */
  readonly dumpsDir: string;
}

async function settleDeath(dead: DeadExecutor, deps: DeathDeps): Promise<void> {
  const { store, logger } = deps;
  const dumps = join(deps.dumpsDir, dead.serviceId);
  const take = () =>
    takeOver(store, dead.serviceId, {
      cause: dead.cause,
      provenAgoMs: Math.max(0, Date.now() - dead.provenAt),
      latencyMs: Math.max(0, dead.provenAt - dead.sinceAt),
      findPlace: placesIn(() => [dumps]),
      onEnd: (ended) => logAttemptEnd(logger, ended),
    });
  // The dead one's tasks must not wait for their leases.
  const failure = "taking over from a dead executor is repeated";
  const returned = await untilDone(take, { logger, failure });
  removeFolder(dumps);
  logger.info({ dead: dead.serviceId, tasks: returned.length }, "took over from a dead executor");
}

/** Repeats until the store took it. */
async function untilDone<T>(
  step: () => Promise<T>,
  { logger, failure }: { readonly logger: Logger; readonly failure: string },
): Promise<T> {
  for (;;) {
    try {
      return await step();
    } catch (thrown) {
      logger.warn({ error: messageOf(thrown) }, failure);
      await delay(500);
    }
  }
}
