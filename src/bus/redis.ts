// The bus on Redis: questions and answers are published, nothing is kept there.
import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { Redis } from "ioredis";
import { messageOf } from "../core/errors.ts";
import type { Logger } from "../core/logger.ts";
import type { AnswerLive, Bus, BusHealth } from "./bus.ts";
import { answerSafely, type Fields, fieldsOf, readAnswer, readQuestion } from "./live-messages.ts";
import { createPendingAsks } from "./pending-asks.ts";

export interface RedisBusConfig {
  /** redis: or rediss: URL of one server; a cluster does not tell how many receivers a message had. */
  readonly url: string;
  /** Begins the name of every channel; platforms that share a Redis need different ones. */
  readonly prefix?: string;
}

/** One connection that comes back by itself. */
interface RedisConnection {
  readonly redis: Redis;
  /** Settles when the first attempt has succeeded or failed; never rejects. */
  readonly tried: Promise<void>;
  health(): BusHealth;
  /** The answer of a command, or undefined when it failed or cannot be sent now; never rejects. */
  attempt<T>(act: (redis: Redis) => Promise<T>): Promise<T | undefined>;
  close(): void;
}

interface RedisConnectionSpec {
  readonly url: string;
  readonly logger: Logger;
  /** Prepares a new connection before it counts as up. */
  readonly onReady: (redis: Redis) => Promise<unknown>;
  readonly onDown: () => void;
}

const COMMAND_TIMEOUT_MS = 1_000;
const LAST_LOOK_MS = 20;
const CHECK_EVERY_MS = 3_000;
const SHORTEST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 1_000;

/**
 * Connects at once and never stops trying. While Redis is away every question is answered with undefined at once.
 * @example createRedisBus({ url: "redis://127.0.0.1:6379" }, { logger })
 */
export function createRedisBus(
  { url, prefix = "serendipity:" }: RedisBusConfig,
  { logger }: { readonly logger: Logger },
): Bus {
  const replyPrefix = `${prefix}reply:`;
  const replyChannel = replyPrefix + randomUUID();
  const askChannelOf = (serviceId: string): string => `${prefix}ask:${serviceId}`;
  /** By the channel on which the questions come. */
  const serving = new Map<string, AnswerLive>();
  const pending = createPendingAsks();
  const onDown = (): void => pending.giveUp();
  const publisher = createRedisConnection({ url, logger, onDown, onReady: async () => undefined });
  const subscriber = createRedisConnection({
    url,
    logger,
    onDown,
    onReady: (redis) => redis.subscribe(replyChannel, ...serving.keys()),
  });

  /** Whether anybody received it. */
  const publish = async (channel: string, message: object): Promise<boolean> => {
    const text = JSON.stringify(message);
    const receivers = await publisher.attempt((redis) => redis.publish(channel, text));
    return receivers !== undefined && receivers > 0;
  };

  const onMessage = (channel: string, text: string): void => {
    const fields = fieldsOf(parse(text));
    if (fields === undefined) return;
    if (channel === replyChannel) onAnswer(fields);
    else onAsk(channel, fields);
  };

  const onAsk = (channel: string, { id, replyTo, question }: Fields): void => {
    const answer = serving.get(channel);
    const asked = readQuestion(question);
    if (answer === undefined || asked === undefined) return;
    if (typeof replyTo !== "string" || !replyTo.startsWith(replyPrefix)) return;
    answerSafely(answer, asked, logger)
      .then((given) => publish(replyTo, { id, answer: given }))
      .catch((error: unknown) => logger.error({ error: messageOf(error) }, "no answer was sent"));
  };

  const onAnswer = ({ id, answer }: Fields): void => {
    const given = readAnswer(answer);
    if (given !== undefined) pending.settle(Number(id), given);
  };

  const health = (): BusHealth => {
    const own = publisher.health();
    return own.state === "down" ? own : subscriber.health();
  };

  subscriber.redis.on("message", onMessage);
  const checks = setInterval(() => {
    for (const connection of [publisher, subscriber]) {
      connection
        .attempt((redis) => redis.ping())
        .catch((error: unknown) => logger.error({ error: messageOf(error) }, "redis is unchecked"));
    }
  }, CHECK_EVERY_MS);

  return {
    ask: (serviceId, question, timeoutMs) =>
      pending.ask(timeoutMs, async (id) => {
        await Promise.all([publisher.tried, subscriber.tried]);
        if (health().state === "down") return false;
        return publish(askChannelOf(serviceId), { id, replyTo: replyChannel, question });
      }),
    serve: async (serviceId, answer) => {
      const channel = askChannelOf(serviceId);
      serving.set(channel, answer);
      await subscriber.tried;
      // One that is not ready will subscribe to all that is served when it becomes so.
      await subscriber.attempt((redis) => redis.subscribe(channel));
      return async () => {
        if (serving.get(channel) !== answer) return;
        serving.delete(channel);
        await subscriber.attempt((redis) => redis.unsubscribe(channel));
      };
    },
    health,
    close: async () => {
      clearInterval(checks);
      serving.clear();
      pending.close();
      publisher.close();
      subscriber.close();
    },
  };
}

function createRedisConnection(spec: RedisConnectionSpec): RedisConnection {
  const { logger, onReady, onDown } = spec;
  const tried = Promise.withResolvers<void>();
  const redis = new Redis(spec.url, {
    maxRetriesPerRequest: 1,
    commandTimeout: COMMAND_TIMEOUT_MS,
    connectTimeout: COMMAND_TIMEOUT_MS,
    // A hung server does not answer a FIN either.
    disconnectTimeout: 100,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    // onReady does it, for what is served at that time.
    autoResubscribe: false,
    retryStrategy: (times) => Math.min(SHORTEST_PAUSE_MS * 2 ** (times - 1), LONGEST_PAUSE_MS),
  });
  const server = new URL(spec.url).host;
  let state: BusHealth = { state: "down", why: `redis ${server}: still connecting` };
  let isReported = false;
  let lastError = "the connection was closed";

  const goDown = (): void => {
    state = { state: "down", why: `redis ${server}: ${lastError}` };
    tried.resolve();
    onDown();
    if (isReported) return;
    isReported = true;
    logger.warn({ redis: server, error: lastError }, "redis is away");
  };

  const goUp = (): void => {
    if (isReported) logger.info({ redis: server }, "redis is back");
    isReported = false;
    lastError = "the connection was closed";
    state = { state: "up" };
    tried.resolve();
  };

  const drop = (why: string): void => {
    lastError = why;
    goDown();
    if (redis.status === "ready") redis.disconnect(true);
  };

  const attempt = async <T>(act: (redis: Redis) => Promise<T>): Promise<T | undefined> => {
    if (redis.status !== "ready") return undefined;
    const { stream } = redis;
    const bytesBefore = stream.bytesRead;
    try {
      return await act(redis);
    } catch (error) {
      // Time to read: on a busy thread the answer may have come long ago.
      await delay(LAST_LOOK_MS);
      onFailure(messageOf(error), stream.bytesRead > bytesBefore);
      return undefined;
    }
  };

  const onFailure = (why: string, hasSpoken: boolean): void => {
    if (state.state === "down") return;
    // Silent, not just slow: it hangs, and nobody else shall wait for it.
    if (isTimeout(why) && !hasSpoken) drop(why);
    if (!isTimeout(why)) logger.warn({ redis: server, error: why }, "redis refused a command");
  };

  redis.on("error", (error) => {
    lastError = textOf(error);
  });
  redis.on("close", goDown);
  redis.on("ready", () => {
    onReady(redis)
      .then(goUp)
      .catch((error: unknown) => drop(messageOf(error)));
  });
  return {
    redis,
    tried: tried.promise,
    health: () => state,
    attempt,
    close: () => {
      // What is reported from now on is no news.
      isReported = true;
      lastError = "closed here";
      goDown();
      redis.disconnect();
    },
  };
}

/** ioredis has no error class or code for it. */
function isTimeout(message: string): boolean {
  return message === "Command timed out";
}

/** Errors of a host name with several addresses have no message of their own, only a code. */
function textOf(error: Error & { readonly code?: string }): string {
  return error.message || (error.code ?? error.name);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
