// Feeds on Redis: one capped stream per watched attempt, whose entry ids are the events' own numbers.
import { messageOf } from "../core/errors.ts";
import type { Logger } from "../core/logger.ts";
import type { TraceEvent } from "../core/views/trace-event.ts";
import type { Bus, FeedPart, Follower } from "./bus.ts";
import { readEventList } from "./live-messages.ts";
import { createRedisConnection, type RedisConnection } from "./redis-connection.ts";

export interface RedisFeedsSpec {
  readonly url: string;
  /** Begins the name of every stream. */
  readonly prefix: string;
  readonly probeKey: string;
  readonly logger: Logger;
  /** Writes; followers have connections of their own, because they block. */
  readonly publisher: RedisConnection;
}

export type RedisFeeds = Pick<Bus, "openFeed" | "follow"> & { close(): void };

const MOST_KEPT = 1_000;
const KEPT_AFTER_END_S = 60;
/** Should its executor die, or nobody watch any more. */
const KEPT_AFTER_APPEND_S = 600;
const LONGEST_BLOCK_MS = 2_000;
const MOST_READ = 200;
const IS_THERE_ALREADY = "ERR The ID specified in XADD is equal or smaller";

export function createRedisFeeds(spec: RedisFeedsSpec): RedisFeeds {
  const followers = new Set<Follower>();
  const lastSeqs = new Map<string, number>();

  const send = (name: string, entries: readonly (readonly [string, string, string])[]) => {
    const key = spec.prefix + name;
    return spec.publisher.attempt(async (redis) => {
      const pipeline = redis.pipeline();
      // An entry that is there already is refused by its id, and that is what is wanted.
      for (const [id, field, value] of entries) {
        pipeline.xadd(key, "MAXLEN", "~", MOST_KEPT, id, field, value);
      }
      const isEnd = entries.at(-1)?.[1] === "end";
      pipeline.expire(key, isEnd ? KEPT_AFTER_END_S : KEPT_AFTER_APPEND_S);
      refuseFailed(await pipeline.exec());
    });
  };

  const inBackground = (work: Promise<unknown>) => {
    work.catch((error: unknown) => {
      spec.logger.error({ error: messageOf(error) }, "events were not put on their feed");
    });
  };

  return {
    openFeed: (name) => ({
      append(events) {
        const last = events.at(-1)?.seq;
        if (last === undefined) return;
        lastSeqs.set(name, Math.max(last, lastSeqs.get(name) ?? 0));
        const entries = events.map(
          (event) => [`${event.seq}-0`, "event", JSON.stringify(event)] as const,
        );
        inBackground(send(name, entries));
      },
      end() {
        const last = lastSeqs.get(name) ?? 0;
        lastSeqs.delete(name);
        inBackground(send(name, [[`${last}-1`, "end", "1"]]));
      },
    }),
    follow(name, afterSeq) {
      const follower = createFollower(spec, { key: spec.prefix + name, afterSeq });
      followers.add(follower);
      return {
        read: follower.read,
        close() {
          followers.delete(follower);
          follower.close();
        },
      };
    },
    close() {
      for (const follower of followers) follower.close();
      followers.clear();
    },
  };
}

/** A pipeline does not reject for what its commands were answered. */
function refuseFailed(answers: readonly (readonly [Error | null, unknown])[] | null): void {
  for (const [error] of answers ?? []) {
    if (error !== null && !error.message.startsWith(IS_THERE_ALREADY)) throw error;
  }
}

type Entry = readonly [id: string, fields: readonly string[]];

function createFollower(
  { url, logger, probeKey, publisher }: RedisFeedsSpec,
  { key, afterSeq }: { readonly key: string; readonly afterSeq: number },
): Follower {
  const gone = Promise.withResolvers<undefined>();
  const connection = createRedisConnection({
    url,
    logger,
    probeKey,
    onReady: async () => undefined,
    onDown: () => gone.resolve(undefined),
    longestBlockMs: LONGEST_BLOCK_MS,
  });
  let lastId = `${afterSeq}-0`;
  let hasEnded = false;

  const readEntries = (waitMs: number): Promise<readonly Entry[] | null | undefined> =>
    connection.attempt(async (redis) => {
      const blockMs = Math.max(1, Math.min(Math.round(waitMs), LONGEST_BLOCK_MS));
      const answer: unknown = await redis.xread(
        "COUNT",
        MOST_READ,
        "BLOCK",
        blockMs,
        "STREAMS",
        key,
        lastId,
      );
      return entriesOf(answer);
    });

  return {
    async read(waitMs): Promise<FeedPart> {
      if (hasEnded) return { kind: "ended" };
      await Promise.all([connection.tried, publisher.tried]);
      // A replica can be read, but nothing new comes there.
      if (publisher.health().state === "down") return { kind: "away" };
      const entries = await Promise.race([readEntries(waitMs), gone.promise]);
      if (entries === undefined) return { kind: "away" };
      const last = entries?.at(-1);
      if (!entries || last === undefined) return { kind: "quiet" };
      const events = entries.flatMap(eventsIn);
      lastId = last[0];
      hasEnded = last[1][0] === "end";
      return events.length > 0 ? { kind: "events", events } : { kind: "ended" };
    },
    close: connection.close,
  };
}

/** RESP2 returns a list of streams, RESP3 a map of them. */
function entriesOf(answer: unknown): readonly Entry[] | null {
  if (answer === null || typeof answer !== "object") return null;
  const [first] = Array.isArray(answer) ? (answer as unknown[]) : [];
  if (Array.isArray(first)) return first[1] as readonly Entry[];
  if (Array.isArray(answer)) return answer[1] as readonly Entry[];
  return Object.values(answer as Record<string, readonly Entry[]>)[0] ?? null;
}

function eventsIn([, [field, value = ""]]: Entry): TraceEvent[] {
  if (field !== "event") return [];
  return readEventList([parse(value)]);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
