// Entry of a consumer thread: one lane, its own store connection, its own subscription to the queue.
import { join } from "node:path";
import { parentPort, workerData } from "node:worker_threads";
import { createQueue, createStore } from "../adapters.ts";
import { createCallbackLane } from "../callback/callback-lane.ts";
import { loadFailpointModule, scrubbedEnv } from "../config/config.ts";
import { type Consumer, createConsumer } from "../consumer/consumer.ts";
import { shareSlots } from "../consumer/slot-share.ts";
import type { AttemptLane } from "../core/attempt.ts";
import { AppError, messageOf } from "../core/errors.ts";
import { every } from "../core/every.ts";
import { allowsLoopbackCallbacks } from "../core/loopback.ts";
import { createSecretBox } from "../core/secret-box.ts";
import type { ReadJobFiles } from "../job/catalogue.ts";
import { createJobLane } from "../job/job-lane.ts";
import { refuseDuplicates } from "../job/refuse-duplicates.ts";
import { createLogger } from "../log.ts";
import { linkOfPort } from "../process/ipc-link.ts";
import { whyNoThreads } from "../process/runtime.ts";
import {
  type ConsumerThreadData,
  type Failure,
  type FromConsumer,
  isFor,
  type ToConsumer,
} from "./consumer-protocol.ts";

/** Turns, leases and cancel polls of one consumer never need more connections at once. */
const POOL_SIZE = 3;

await loadFailpointModule();
const data = workerData as ConsumerThreadData;
if (parentPort === null) throw new Error("consumer-thread.ts runs as a worker thread only");
const link = linkOfPort(parentPort);
const logger = createLogger({ level: data.config.logLevel }).child({
  service_id: data.serviceId,
  lane: data.lane,
});
const say = (message: FromConsumer) => link.send(message);

// What every lane needs besides is loaded at the same time.
const opening = createStore({ config: data.config, logger }, { poolSize: POOL_SIZE });
opening.catch(() => undefined);
load().then((loaded) => listen(loaded), fail);

interface LoadedLane {
  readonly attempts: AttemptLane;
  readonly importAll: () => Promise<void>;
}

/** Loads what the lane needs and says so; nothing is claimed yet. */
async function load(): Promise<LoadedLane> {
  if (data.lane === "job") return loadJobLane();
  const attempts = loadCallbackLane();
  say({ to: "executor", kind: "loaded", jobs: null });
  return { attempts, importAll: async () => undefined };
}

async function loadJobLane(): Promise<LoadedLane> {
  const { jobsDir, executorSlots, dataDir } = data.config;
  const lane = await createJobLane({
    jobsDir,
    slots: executorSlots,
    logger,
    env: scrubbedEnv(),
    cacheDir: join(dataDir, "sources"),
    dumpsDir: join(dataDir, "live", data.serviceId),
    noThreads: whyNoThreads(data.config),
    owner: data.serviceId,
    ...(data.inherited && { inherited: data.inherited }),
    onGroup: (group, isAlive) => say({ to: "executor", kind: "group", group, isAlive }),
  });
  refuseDuplicates(lane.catalogue);
  const { jobs, badFiles, changed } = lane.catalogue;
  say({ to: "executor", kind: "loaded", jobs: { jobs, badFiles, pending: changed.length } });
  const publish = (found: ReadJobFiles) => {
    const imported = { jobs: found.jobs, badFiles: found.badFiles, pending: 0 };
    say({ to: "executor", kind: "imported", jobs: imported });
  };
  const importAll = async () => {
    await lane.importAll(publish);
    if (!data.config.watchJobs) return;
    const { watchJobs } = await import("./watch-jobs.ts");
    await watchJobs({ lane, store: await opening, publish, logger });
  };
  return { attempts: lane, importAll };
}

function loadCallbackLane(): AttemptLane {
  const { callbackConcurrency, callbackAllow, callbackPorts } = data.config;
  return createCallbackLane({
    concurrency: callbackConcurrency,
    allow: callbackAllow,
    ports: callbackPorts,
    allowLoopback: allowsLoopbackCallbacks(data.config),
    secretBox: createSecretBox(data.key),
    logger,
    nowMs: Date.now,
  });
}

function listen({ attempts, importAll }: LoadedLane): void {
  let consumer: Promise<Consumer> | null = null;
  link.onMessage((message) => {
    if (!isFor<ToConsumer>("consumer", message)) return;
    if (message.kind === "begin") {
      consumer = begin(attempts);
      consumer.then(() => say({ to: "executor", kind: "begun" }), fail);
    }
    if (message.kind === "import") importAll().catch(fail);
    if (message.kind === "ask") answer(consumer, message).catch(fail);
    if (message.kind === "shed") consumer?.then(({ shed }) => shed(message.memory), fail);
    if (message.kind === "drain") drain(consumer, message.graceMs).catch(fail);
  });
}

async function begin(attempts: AttemptLane): Promise<Consumer> {
  const { config, lane, serviceId } = data;
  const store = await opening;
  const queue = await createQueue({ config, logger }, [link]);
  const onUnkillable = ({ taskId }: { taskId: number }) =>
    say({ to: "executor", kind: "unkillable", taskId });
  const { leaseMs } = config;
  const { applicationSlotShare: share } = config;
  const { applications } = store;
  const shared =
    lane === "job" ? await shareSlots(attempts, { applications, share, logger }) : attempts;
  const sign = () => store.executors.signLane(serviceId, lane);
  const consumer = await createConsumer({
    store,
    queue,
    attempts: shared,
    lane,
    serviceId,
    leaseMs,
    logger,
    onUnkillable,
    onNews: (news) => say({ to: "executor", kind: "news", news }),
  });
  await sign();
  const stopSigns = every(leaseMs / 3, sign, logger);
  return {
    ...consumer,
    drain: async (graceMs) => {
      await consumer.drain(graceMs);
      await stopSigns();
    },
  };
}

async function answer(
  consumer: Promise<Consumer> | null,
  { id, question }: Extract<ToConsumer, { kind: "ask" }>,
): Promise<void> {
  const given = await (await consumer)?.answer(question);
  say({ to: "executor", kind: "answer", id, answer: given ?? { kind: "unknown" } });
}

async function drain(consumer: Promise<Consumer> | null, graceMs: number): Promise<void> {
  const serving = await consumer;
  await serving?.drain(graceMs);
  say({ to: "executor", kind: "drained" });
}

/** The executor decides what follows: not to start, or to be replaced. */
function fail(thrown: unknown): void {
  say({ to: "executor", kind: "failed", failure: failureOf(thrown) });
}

function failureOf(thrown: unknown): Failure {
  const isConfiguration = thrown instanceof AppError && thrown.code === "configuration";
  return { isConfiguration, message: messageOf(thrown) };
}
