// What an api process can say of itself: may requests be sent here, and what is not as it should be.
import type { Bus } from "./bus/bus.ts";
import type { Config } from "./config/config.ts";
import { messageOf } from "./core/errors.ts";
import type { Logger } from "./core/logger.ts";
import type { ShownExecutor } from "./core/views/readiness.ts";
import type { Readiness } from "./http/readiness.ts";
import type { Queue } from "./queue/queue.ts";
import type { ExecutorSigns } from "./store/executor-store.ts";
import type { Store } from "./store/store.ts";
import { CLOCK_LIMIT_MS } from "./use-cases/clock-ahead.ts";

interface ReadinessDeps {
  readonly config: Pick<Config, "leaseMs">;
  readonly logger: Logger;
  readonly store: Pick<Store, "executors" | "checkWrites">;
  readonly queue: Pick<Queue, "health">;
  readonly bus: Pick<Bus, "health">;
  readonly isDraining: () => boolean;
  readonly isStarted: () => boolean;
}

interface Database {
  readonly isUsable: boolean;
  readonly why: string;
  readonly signs: readonly ExecutorSigns[];
}

/** Redis, nsqd or all executors away is degraded, not unready: tasks are accepted without them. */
export async function apiReadiness(deps: ReadinessDeps): Promise<Readiness> {
  const { isUsable, why, signs } = await databaseState(deps);
  const isReady = isUsable && deps.isStarted() && !deps.isDraining();
  const checks: Record<string, string> = { database: why };
  for (const [name, health] of [
    ["queue", deps.queue.health()],
    ["bus", deps.bus.health()],
  ] as const) {
    checks[name] = health.state === "up" ? "up" : "degraded: away";
  }
  const living = signs.filter(({ seenAgoMs }) => seenAgoMs <= deps.config.leaseMs);
  if (isUsable) checks["executors"] = stateOfExecutors(living);
  if (!deps.isStarted()) checks["executor"] = "its jobs are not published yet";
  if (deps.isDraining()) checks["process"] = "draining";
  return { ready: isReady, checks, executors: living.map(shown) };
}

/** Reasons go to the log: `/readyz` is open to anybody, and a driver's words may name hosts. */
async function databaseState({ store, logger }: ReadinessDeps): Promise<Database> {
  try {
    const signs = await store.executors.signs();
    const refusal = await store.checkWrites().then(() => undefined, messageOf);
    if (refusal === undefined) return { isUsable: true, why: "up", signs };
    logger.warn({ error: refusal }, "not ready: the database takes no writes");
    return { isUsable: false, why: "takes no writes", signs };
  } catch (thrown) {
    logger.warn({ error: messageOf(thrown) }, "not ready: the database is away");
    return { isUsable: false, why: "away", signs: [] };
  }
}

function stateOfExecutors(living: readonly ExecutorSigns[]): string {
  if (living.length === 0) return "degraded: no_executor";
  const isOff = ({ clockAheadMs }: ExecutorSigns) => Math.abs(clockAheadMs ?? 0) > CLOCK_LIMIT_MS;
  const off = living.filter(isOff).map(({ serviceId }) => serviceId);
  return off.length === 0 ? "up" : `degraded: clock_off (${off.join(", ")})`;
}

function shown({ serviceId, seenAgoMs, laneAgoMs, clockAheadMs }: ExecutorSigns): ShownExecutor {
  return {
    service_id: serviceId,
    seen_ms_ago: seenAgoMs,
    lanes_seen_ms_ago: laneAgoMs,
    clock_ahead_ms: clockAheadMs,
  };
}
