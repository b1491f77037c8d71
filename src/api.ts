// The HTTP side of a main process: the use cases on the adapters, and the readiness they can vouch for.
import { apiReadiness } from "./api-readiness.ts";
import type { Bus } from "./bus/bus.ts";
import type { Config } from "./config/config.ts";
import type { Logger } from "./core/logger.ts";
import type { SecretBox } from "./core/secret-box.ts";
import { createHealthApp } from "./http/health.ts";
import { listen } from "./http/listen.ts";
import type { Readiness } from "./http/readiness.ts";
import { createHttpApp } from "./http/server.ts";
import type { Queue } from "./queue/queue.ts";
import type { Store } from "./store/store.ts";
import { createTaskSubmitter } from "./use-cases/submit-task.ts";

export interface ApiParts {
  readonly config: Config;
  readonly logger: Logger;
  readonly store: Store;
  readonly queue: Queue;
  readonly bus: Bus;
  readonly secretBox: SecretBox;
  readonly version: string;
  readonly isDraining: () => boolean;
  /** True once the executor of this start has published its jobs; always in a process without one. */
  readonly isStarted: () => boolean;
}

/** A listening server; `stop` lets requests in flight end and flushes what they wait for. */
export interface Api {
  /** The one taken, also when PORT is 0. */
  readonly port: number;
  stop(): Promise<void>;
}

/** Listens with the whole API. Throws AppError `configuration` when the port is taken. */
export async function startApi(deps: ApiParts): Promise<Api> {
  const { config, store, queue, logger } = deps;
  const submitter = createTaskSubmitter({
    store,
    queue,
    logger,
    timezone: config.timezone,
    isZoneAssumed: config.isZoneAssumed,
    deadlineMs: config.createDeadlineMs,
    silentMs: 2 * config.leaseMs,
  });
  const app = createHttpApp({
    ...deps,
    submitter,
    nowMs: Date.now,
    readiness: () => apiReadiness(deps),
  });
  const server = await listen(app, config);
  return {
    port: server.port,
    stop: async () => {
      app.endStreams();
      await server.stop();
      await submitter.flush();
    },
  };
}

/** Listens with the two health paths only. */
export async function startHealth(config: Config, isReady: () => boolean): Promise<Api> {
  const readiness = async (): Promise<Readiness> =>
    isReady() ? { ready: true, checks: {} } : { ready: false, checks: { executor: "not ready" } };
  return listen(createHealthApp({ readiness }), config);
}
