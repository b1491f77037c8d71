// The queue on NSQ: a bell goes to any nsqd, a subscription listens to all of them.
//
// nsqjs' Reader and Writer are left out: most of its traps live there (a Reader that forgets healthy connections and
// slows itself down, a Writer that never reconnects). The connection classes under them are sound.
import { setTimeout as delay } from "node:timers/promises";
import { NSQDConnection, type NsqMessage, WriterNSQDConnection } from "nsqjs/lib/nsqdconnection.js";
import type { NsqConfig } from "../config/config.ts";
import { AppError, messageOf } from "../core/errors.ts";
import type { Logger } from "../core/logger.ts";
import type { Lane } from "../core/task.ts";
import { readDoorbell } from "./doorbell.ts";
import { createKeptConnection, type KeptConnection } from "./kept-connection.ts";
import { watchLookupd } from "./lookupd.ts";
import { splitAddress, topicOf } from "./nsq-names.ts";
import type { Doorbell, DoorbellListener, Queue, QueueHealth } from "./queue.ts";

type Writer = KeptConnection<WriterNSQDConnection>;
type Reader = KeptConnection<NSQDConnection>;

interface NsqDeps {
  readonly logger: Logger;
}

/** A listener and the connections it hears with. */
interface Subscription extends DoorbellListener {
  readers(): readonly Reader[];
}

interface SubscriptionSpec {
  readonly config: NsqConfig;
  readonly lane: Lane;
  readonly hear: (bell: Doorbell) => void;
  readonly logger: Logger;
}

const RING_TIMEOUT_MS = 1_000;
const LAST_LOOK_MS = 20;
/** Rings that may wait for nsqd at once. */
const MAX_RINGS = 10_000;
/** A FIN or REQ written just before the close of its connection is lost. */
const FLUSH_MS = 50;

const CONNECTION_OPTIONS = {
  // nsqd's output buffers delay a message by up to 250 ms.
  outputBufferSize: -1,
  outputBufferTimeout: -1,
  // Seconds: a hung nsqd sends no heartbeats, and after 12 s of silence the connection is closed.
  heartbeatInterval: 5,
  idleTimeout: 12,
  // Ms: bells pushed to an executor that died are rung again after this time.
  messageTimeout: 2_000,
};

/**
 * Connects to no nsqd before the first `ring` or `listen`. `dueInMs` travels as it was rung: bells are milliseconds on
 * their way, and a clock of another machine would do more harm than that.
 * @example createNsqQueue({ nsqdTcpAddresses: ["127.0.0.1:4150"], lookupdHttpAddresses: [], topic: "tasks", channel: "executors" }, { logger })
 */
export function createNsqQueue(config: NsqConfig, { logger }: NsqDeps): Queue {
  const rings = new Set<Promise<void>>();
  const subscriptions = new Set<Subscription>();
  let writers: readonly Writer[] = [];
  let isClosed = false;

  const openWriters = (): void => {
    if (writers.length > 0) return;
    writers = config.nsqdTcpAddresses.map((address) => openWriter(address, logger));
  };

  const health = (): QueueHealth => {
    const groups = [writers, ...[...subscriptions].map((subscription) => subscription.readers())];
    const away = groups.map(whyAway).find((why) => why !== undefined);
    return away === undefined ? { state: "up" } : { state: "down", why: away };
  };

  const ring = async (bell: Doorbell): Promise<void> => {
    if (isClosed) throw new AppError("unavailable", "the queue is closed, the bell is lost");
    if (rings.size >= MAX_RINGS) {
      throw new AppError(
        "unavailable",
        `${MAX_RINGS} bells wait for nsqd already, this one is lost`,
      );
    }
    openWriters();
    const ringing = ringAny(writers, topicOf(config, bell.lane), JSON.stringify(bell));
    rings.add(ringing);
    await ringing.finally(() => rings.delete(ringing));
  };

  const listen = async (lane: Lane, hear: (bell: Doorbell) => void): Promise<DoorbellListener> => {
    if (isClosed) throw new AppError("unavailable", "the queue is closed, nobody can listen");
    const subscription = createSubscription({ config, lane, hear, logger });
    subscriptions.add(subscription);
    await Promise.all(subscription.readers().map((reader) => reader.tried));
    return {
      pause: () => subscription.pause(),
      resume: () => subscription.resume(),
      close: async () => {
        subscriptions.delete(subscription);
        await subscription.close();
      },
    };
  };

  const close = async (): Promise<void> => {
    isClosed = true;
    const closing = [...subscriptions].map((subscription) => subscription.close());
    subscriptions.clear();
    await Promise.allSettled([...closing, ...rings]);
    for (const writer of writers) writer.close();
  };

  return { ring, listen, health, close };
}

/** Tries the nsqds that are connected first, each for its share of the time. */
async function ringAny(writers: readonly Writer[], topic: string, body: string): Promise<void> {
  const order = writers.toSorted((a, b) => Number(isAway(a)) - Number(isAway(b)));
  const timeoutMs = RING_TIMEOUT_MS / order.length;
  const failures: string[] = [];
  for (const writer of order) {
    const failure = await publish(writer, { topic, body, timeoutMs });
    if (failure === undefined) return;
    failures.push(`${writer.address}: ${failure}`);
  }
  throw new AppError(
    "unavailable",
    `the bell may be lost, no nsqd took it (${failures.join("; ")})`,
    { forCallers: "no nsqd can be reached, the bell may be lost; try again shortly" },
  );
}

interface Publication {
  readonly topic: string;
  readonly body: string;
  readonly timeoutMs: number;
}

/** Undefined when nsqd has the message, else why it may not have it. */
function publish(writer: Writer, publication: Publication): Promise<string | undefined> {
  const { topic, body, timeoutMs } = publication;
  const { promise, resolve } = Promise.withResolvers<string | undefined>();
  const startedAt = Date.now();
  let isOver = false;
  const giveUp = (): void => {
    if (isOver) return;
    const why = `no answer within ${Math.round(timeoutMs)} ms`;
    resolve(why);
    const state = writer.state();
    // Silent, not just slow under many rings: it hangs, and nobody else shall wait for it.
    const isSilent = state.kind === "open" && !hasSpokenSince(state.connection, startedAt);
    if (isSilent) writer.drop(state.connection, why);
  };
  // With time to read in between: on a busy thread the answer may have come long ago.
  const timer = setTimeout(() => setTimeout(giveUp, LAST_LOOK_MS), timeoutMs);
  const send = (): void => {
    const state = writer.state();
    if (state.kind === "away") resolve(state.why);
    else if (!isOver) state.connection.produceMessages(topic, [body], undefined, acknowledge);
  };
  const acknowledge = (error: Error | null): void => {
    resolve(error === null ? undefined : messageOf(error));
  };
  writer.tried.then(send).catch((error: unknown) => resolve(messageOf(error)));
  return promise.finally(() => {
    isOver = true;
    clearTimeout(timer);
  });
}

function hasSpokenSince(connection: WriterNSQDConnection, epochMs: number): boolean {
  return (connection.lastReceivedTimestamp ?? 0) > epochMs;
}

/** Listens to all configured nsqds and those that nsqlookupd knows. */
function createSubscription({ config, lane, hear, logger }: SubscriptionSpec): Subscription {
  const topic = topicOf(config, lane);
  const readers = new Map<string, Reader>();
  let isPaused = false;
  let closing: Promise<void> | undefined;

  const onMessage = (message: NsqMessage): void => {
    // Pushed before nsqd knew of the pause: here it would wait while others are idle.
    if (isPaused) message.requeue(0, false);
    else take(message);
  };

  const take = (message: NsqMessage): void => {
    message.finish();
    const bell = bellIn(message);
    if (bell?.lane === lane) hear(bell);
    else logger.warn({ topic, bytes: message.body.length }, "a message is no doorbell, dropped");
  };

  const openReader = (address: string): Reader => {
    const open = (): NSQDConnection => {
      const { host, port } = splitAddress(address);
      const connection = new NSQDConnection(host, port, topic, config.channel, CONNECTION_OPTIONS);
      connection.on("message", onMessage);
      connection.on("ready", () => connection.setRdy(isPaused ? 0 : 1));
      return connection;
    };
    return createKeptConnection({ address, open, logger });
  };

  const listenTo = (addresses: readonly string[]): void => {
    for (const address of addresses) {
      if (!readers.has(address)) readers.set(address, openReader(address));
    }
  };

  const forgetAllBut = (addresses: readonly string[]): void => {
    for (const [address, reader] of readers) {
      if (addresses.includes(address) || !isAway(reader)) continue;
      readers.delete(address);
      reader.close();
    }
  };

  const setPaused = (paused: boolean): void => {
    isPaused = paused;
    for (const reader of readers.values()) {
      const state = reader.state();
      if (state.kind === "open") state.connection.setRdy(paused ? 0 : 1);
    }
  };

  const onFound = (found: readonly string[]): void => {
    const addresses = [...config.nsqdTcpAddresses, ...found];
    listenTo(addresses);
    forgetAllBut(addresses);
  };

  const closeAll = async (): Promise<void> => {
    unwatch();
    setPaused(true);
    await delay(FLUSH_MS);
    for (const reader of readers.values()) reader.close();
  };

  listenTo(config.nsqdTcpAddresses);
  const unwatch = watchLookupd({ lookupds: config.lookupdHttpAddresses, topic, onFound, logger });
  return {
    readers: () => [...readers.values()],
    pause: () => setPaused(true),
    resume: () => {
      if (closing === undefined) setPaused(false);
    },
    close: () => {
      closing ??= closeAll();
      return closing;
    },
  };
}

function openWriter(address: string, logger: Logger): Writer {
  const { host, port } = splitAddress(address);
  const open = () => new WriterNSQDConnection(host, port, CONNECTION_OPTIONS);
  return createKeptConnection({ address, open, logger });
}

function bellIn(message: NsqMessage): Doorbell | undefined {
  try {
    return readDoorbell(JSON.parse(message.body.toString()));
  } catch {
    return undefined;
  }
}

function isAway(connection: KeptConnection<NSQDConnection | WriterNSQDConnection>): boolean {
  return connection.state().kind === "away";
}

/** Undefined when at least one of the connections is open, or none is wanted. */
function whyAway(
  connections: readonly KeptConnection<NSQDConnection | WriterNSQDConnection>[],
): string | undefined {
  const reasons = connections.flatMap((connection) => {
    const state = connection.state();
    return state.kind === "away" ? [`nsqd ${connection.address}: ${state.why}`] : [];
  });
  const isAllAway = reasons.length > 0 && reasons.length === connections.length;
  return isAllAway ? reasons.join("; ") : undefined;
}
