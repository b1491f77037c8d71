// A connection to Redis that comes back by itself, and says whether it is there.
import { setTimeout as delay } from "node:timers/promises";
import { Redis } from "ioredis";
import { messageOf } from "../core/errors.ts";
import type { Logger } from "../core/logger.ts";
import type { BusHealth } from "./bus.ts";

/** One connection that comes back by itself. */
export interface RedisConnection {
  readonly redis: Redis;
  /** Settles when the first attempt has succeeded or failed; never rejects. */
  readonly tried: Promise<void>;
  health(): BusHealth;
  /** The answer of a command, or undefined when it failed or cannot be sent now; never rejects. */
  attempt<T>(act: (redis: Redis) => Promise<T>): Promise<T | undefined>;
  /** Connects anew, because something else has learned that the server cannot serve. */
  leave(why: string): void;
  close(): void;
}

interface RedisConnectionSpec {
  readonly url: string;
  readonly logger: Logger;
  /** A key that never exists, to ask with whether the server takes writes. */
  readonly probeKey: string;
  /** Prepares a new connection before it counts as up. */
  readonly onReady: (redis: Redis) => Promise<unknown>;
  readonly onDown: () => void;
  /** Told when the server answers that it cannot serve. */
  readonly onRefused?: (why: string) => void;
  /** How long its commands may block besides. */
  readonly longestBlockMs?: number;
}

const COMMAND_TIMEOUT_MS = 1_000;
const LAST_LOOK_MS = 20;
const SHORTEST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 1_000;

/** Connects at once and never stops trying. */
export function createRedisConnection(spec: RedisConnectionSpec): RedisConnection {
  const { logger, onReady, onDown } = spec;
  let failures = 0;
  const tried = Promise.withResolvers<void>();
  const redis = new Redis(spec.url, {
    maxRetriesPerRequest: 1,
    commandTimeout: COMMAND_TIMEOUT_MS + (spec.longestBlockMs ?? 0),
    connectTimeout: COMMAND_TIMEOUT_MS,
    // A hung server does not answer a FIN either.
    disconnectTimeout: 100,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    // onReady does it, for what is served at that time.
    autoResubscribe: false,
    // Whether it loads its data is asked by the probe, like everything else that keeps it from serving.
    enableReadyCheck: false,
    // Counted here, since for ioredis a server that takes no writes is one that is ready.
    retryStrategy: () => Math.min(SHORTEST_PAUSE_MS * 2 ** failures++, LONGEST_PAUSE_MS),
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
    failures = 0;
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
    const isSilent = isTimeout(why) && !hasSpoken;
    // Silent, not just slow: it hangs, and nobody else shall wait for it.
    if (isSilent || cannotServe(why)) drop(why);
    else if (!isTimeout(why)) logger.warn({ redis: server, error: why }, "redis refused a command");
    if (cannotServe(why)) spec.onRefused?.(why);
  };

  redis.on("error", (error) => {
    lastError = textOf(error);
  });
  redis.on("close", goDown);
  redis.on("ready", () => {
    probeWrites(redis, spec.probeKey)
      .then(() => onReady(redis))
      .then(goUp)
      .catch((error: unknown) => drop(messageOf(error)));
  });
  return {
    redis,
    tried: tried.promise,
    health: () => state,
    attempt,
    leave: (why) => {
      if (state.state === "up") drop(why);
    },
    close: () => {
      // What is reported from now on is no news.
      isReported = true;
      lastError = "closed here";
      goDown();
      redis.disconnect();
    },
  };
}

/** Refused where writes are: by a replica, while data are loaded, by a disk that is full. It leaves nothing behind. */
export function probeWrites(redis: Redis, key: string): Promise<unknown> {
  return redis.expire(key, 1);
}

/** True for READONLY, LOADING, MASTERDOWN and all other codes that are about the server and not about the command. */
function cannotServe(message: string): boolean {
  return /^[A-Z]{3,} /.test(message) && !/^(ERR|WRONGTYPE) /.test(message);
}

/** ioredis has no error class or code for it. */
function isTimeout(message: string): boolean {
  return message === "Command timed out";
}

/** Errors of a host name with several addresses have no message of their own, only a code. */
function textOf(error: Error & { readonly code?: string }): string {
  return error.message || (error.code ?? error.name);
}
