// Entry of an executor process: two consumer threads, the live answers, reap and retention. Loads no job code.
import { hostname } from "node:os";
import { join } from "node:path";
import { createBus, createQueue, createStore } from "./adapters.ts";
import type { Bus } from "./bus/bus.ts";
import { type GroupNews, isFor, type MemoryPressure } from "./consumer/protocol.ts";
import { type ConsumerThread, createConsumerThread } from "./consumer/thread-handle.ts";
import type { FeedNews } from "./consumer/watched.ts";
import { AppError, messageOf } from "./core/errors.ts";
import type { LiveAnswer, LiveQuestion } from "./core/live.ts";
import type { Logger } from "./core/logger.ts";
import { takeOver } from "./core/reap.ts";
import { LANES, type Lane } from "./core/task.ts";
import type { DeadExecutor, ExecutorJobs, FromExecutor, ToExecutor } from "./executor-protocol.ts";
import { keepHouse } from "./housekeeping.ts";
import { placesIn, removeFolder } from "./job/live/read-remains.ts";
import { onOrphaned } from "./job/orphaned.ts";
import { linkOfProcess } from "./links.ts";
import { createLogger } from "./log.ts";
import { watchMemory } from "./memory-watch.ts";
import type { Store } from "./store/store.ts";

type Start = Extract<ToExecutor, { kind: "start" }>;

/** An executor at work. */
interface Executor {
  /** Rings for what was taken over. */
  ring(): Promise<unknown>;
  drain(graceMs: number): Promise<void>;
}

const parent = linkOfProcess(process);
const say = (message: FromExecutor) => parent.send(message);

// Without the main process nobody would kill or replace this one: it takes its group, and so every job, with it.
onOrphaned(killOwnGroup);
// The main process decides when to stop; a signal to the whole group must not cut a drain short.
process.on("SIGINT", () => undefined);
process.on("SIGTERM", () => undefined);

let executor: Promise<Executor> | null = null;
const opened = Promise.withResolvers<BuryDeps>();
parent.onMessage((message) => {
  if (!isFor<ToExecutor>("executor", message)) return;
  if (message.kind === "start") executor = start(message);
  if (message.kind === "bury") bury(message.dead).catch(fail);
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
async function bury(dead: DeadExecutor): Promise<void> {
  await buryDead(dead, await opened.promise);
  executor?.then(({ ring }) => ring(), fail);
  say({ to: "main", kind: "buried", serviceId: dead.serviceId });
}

async function drain(graceMs: number): Promise<void> {
  await (await executor)?.drain(graceMs);
  say({ to: "main", kind: "drained" });
}

function killOwnGroup(): void {
  process.kill(-process.pid, "SIGKILL");
}

async function createExecutor({ config, serviceId, key }: Start): Promise<Executor> {
  const logger = createLogger({ level: config.logLevel }).child({ service_id: serviceId });
  const store = await createStore({ config, logger }, 4);
  await store.checkSchema();
  const remainsDir = join(config.dataDir, "live");
  opened.resolve({ store, logger, remainsDir });
  const data = { config, serviceId, key: new Uint8Array(Buffer.from(key, "base64")) };
  const threads = LANES.map((lane) => createConsumerThread({ ...data, lane }, eventsOf(lane)));
  const jobs = await publishJobs(threads, { store, serviceId });

  const queue = await createQueue({ config, logger }, [parent, ...threads.map(({ link }) => link)]);
  const bus = await createBus({ config, logger }, [parent]);
  await bus.serve(serviceId, (question) => ask(threads, question));
  await Promise.all(threads.map((thread) => thread.begin()));
  const stopHousekeeping = keepHouse({ store, serviceId, config, logger, remainsDir });
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
      onGroup: ({ group, isAlive }: GroupNews) =>
        say({ to: "main", kind: "group", group, isAlive }),
      onDeath: (why: string) => {
        logger.error(
          { lane, err: why },
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
      await Promise.all(threads.map((thread) => thread.drain(graceMs)));
      await stopHousekeeping();
      await store.executors.bury(serviceId).catch(() => undefined);
      removeFolder(join(remainsDir, serviceId));
      await Promise.all([bus.close(), queue.close(), store.close()]);
    },
  };
}

/** Puts what a watched attempt said on its feed. */
function hearNews(bus: Bus, { feed: name, events, isEnded }: FeedNews): void {
  const feed = bus.openFeed(name);
  if (events.length > 0) feed.append(events);
  if (isEnded) feed.end();
}

interface PublishDeps {
  readonly store: Store;
  readonly serviceId: string;
}

async function publishJobs(
  threads: readonly ConsumerThread[],
  deps: PublishDeps,
): Promise<ExecutorJobs> {
  const { store, serviceId } = deps;
  const loaded = await Promise.all(threads.map((thread) => thread.loaded));
  const definitions = loaded.flatMap((jobs) => jobs?.definitions ?? []);
  const badFiles = loaded.flatMap((jobs) => jobs?.badFiles ?? []);
  await store.executors.register({ serviceId, host: hostname(), pid: process.pid });
  await store.catalogue.publish(serviceId, definitions);
  return { names: definitions.map(({ name }) => name), badFiles };
}

/** Only the thread of the attempt's lane knows it; the other one says `unknown`. */
async function ask(
  threads: readonly ConsumerThread[],
  question: LiveQuestion,
): Promise<LiveAnswer> {
  const answers = await Promise.all(threads.map((thread) => thread.ask(question)));
  return answers.find((answer) => answer.kind !== "unknown") ?? { kind: "unknown" };
}

interface BuryDeps {
  readonly store: Store;
  readonly logger: Logger;
  /** Holds what each executor of this machine leaves. */
  readonly remainsDir: string;
}

/** Repeats until the store took it: the dead one's tasks must not wait for their leases. */
async function buryDead(dead: DeadExecutor, deps: BuryDeps): Promise<void> {
  const remains = join(deps.remainsDir, dead.serviceId);
  for (;;) {
    try {
      const returned = await takeOver(deps.store, dead.serviceId, {
        cause: dead.cause,
        provenAgoMs: Math.max(0, Date.now() - dead.provenAt),
        latencyMs: Math.max(0, dead.provenAt - dead.sinceAt),
        findPlace: placesIn(() => [remains]),
      });
      removeFolder(remains);
      deps.logger.info(
        { dead: dead.serviceId, tasks: returned.length },
        "took over from a dead executor",
      );
      return;
    } catch (thrown) {
      deps.logger.warn({ err: messageOf(thrown) }, "taking over from a dead executor is repeated");
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
  }
}
