// Config → store, queue and bus. Each driver is loaded only where its shape needs it.
import type { Bus } from "./bus/bus.ts";
import type { Config } from "./config/config.ts";
import type { Link } from "./core/link.ts";
import type { Logger } from "./core/logger.ts";
import type { Queue } from "./queue/queue.ts";
import type { Store } from "./store/store.ts";

export interface AdapterDeps {
  readonly config: Config;
  readonly logger: Logger;
}

export interface StoreLimits {
  /** Connections to MySQL at most; SQLite has one. */
  readonly poolSize: number;
  /** How long one use of the database may take; absent: as long as the adapter thinks right. */
  readonly deadlineMs?: number;
}

export async function createStore(
  { config, logger }: AdapterDeps,
  { poolSize, ...deadline }: StoreLimits,
): Promise<Store> {
  const options = { poolSize, ...deadline, logger };
  switch (config.database.kind) {
    case "sqlite": {
      const { createSqliteStore } = await import("./store/sqlite/store.ts");
      return createSqliteStore({ ...config.database, ...options });
    }
    case "mysql": {
      const { createMysqlStore } = await import("./store/mysql/store.ts");
      return createMysqlStore({ ...config.database, ...options });
    }
  }
}

/** @param links to the other processes and threads of this start; unused when there is an nsqd */
export async function createQueue(
  { config, logger }: AdapterDeps,
  links: readonly Link[],
): Promise<Queue> {
  if (config.nsq === null) {
    const { createLocalQueue } = await import("./queue/local.ts");
    return createLocalQueue({ links });
  }
  const { createNsqQueue } = await import("./queue/nsq.ts");
  return createNsqQueue(config.nsq, { logger });
}

/** @param links to the other processes of this start; unused when there is a Redis */
export async function createBus(
  { config, logger }: AdapterDeps,
  links: readonly Link[],
): Promise<Bus> {
  if (config.redisUrl === null) {
    const { createLocalBus } = await import("./bus/local.ts");
    return createLocalBus({ links, logger });
  }
  const { createRedisBus } = await import("./bus/redis.ts");
  return createRedisBus({ url: config.redisUrl }, { logger });
}
