// The bus on Redis: questions and answers are published, nothing is kept there.
import { randomUUID } from "node:crypto";
import { messageOf } from "../core/errors.ts";
import type { Logger } from "../core/logger.ts";
import type { AnswerLive, Bus, BusHealth } from "./bus.ts";
import { answerSafely, type Fields, fieldsOf, readAnswer, readQuestion } from "./live-messages.ts";
import { createPendingAsks } from "./pending-asks.ts";
import { createRedisConnection, probeWrites } from "./redis-connection.ts";
import { createRedisFeeds } from "./redis-feeds.ts";

export interface RedisBusConfig {
  /** redis: or rediss: URL of one server; a cluster does not tell how many receivers a message had. */
  readonly url: string;
  /** Begins the name of every channel; platforms that share a Redis need different ones. */
  readonly prefix?: string;
}

const CHECK_EVERY_MS = 3_000;

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
  const probeKey = `${prefix}probe`;
  const publisher = createRedisConnection({
    url,
    logger,
    probeKey,
    onDown,
    onReady: async () => undefined,
    // What is published at the new primary does not reach the old one.
    onRefused: (why) => subscriber.leave(why),
  });
  const subscriber = createRedisConnection({
    url,
    logger,
    probeKey,
    onDown,
    onReady: (redis) => redis.subscribe(replyChannel, ...serving.keys()),
  });

  const feeds = createRedisFeeds({ url, prefix: `${prefix}events:`, probeKey, logger, publisher });

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
    // On a subscribed connection older servers take no other command than PING.
    const asked = [
      publisher.attempt((redis) => probeWrites(redis, probeKey)),
      subscriber.attempt((redis) => redis.ping()),
    ];
    Promise.all(asked).catch((error: unknown) =>
      logger.error({ error: messageOf(error) }, "redis is unchecked"),
    );
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
    openFeed: feeds.openFeed,
    follow: feeds.follow,
    health,
    close: async () => {
      clearInterval(checks);
      feeds.close();
      serving.clear();
      pending.close();
      publisher.close();
      subscriber.close();
    },
  };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
