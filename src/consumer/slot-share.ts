// Keeps a part of a lane's slots for other applications: one with long jobs must not hold all of them.

import type { AttemptLane, ClaimLimits, RunningAttempt } from "../core/attempt.ts";
import { messageOf } from "../core/errors.ts";
import type { Logger } from "../core/logger.ts";
import type { ApplicationStore } from "../store/store.ts";

/** An executor is shared while more than one application has created a task within this time. */
const IN_USE_MS = 7 * 24 * 3_600_000;

export interface SlotShareDeps {
  readonly applications: Pick<ApplicationStore, "countInUse">;
  /** Of the slots, for one application; 1: all. */
  readonly share: number;
  readonly logger: Logger;
  /** How often it is asked whether there is anybody to share with; default: once a minute. */
  readonly askEveryMs?: number;
}

const ASK_EVERY_MS = 60_000;

/**
 * The lane with at most `share` of its slots (rounded down, at least 1) for one application, while more than one is in
 * use. Resolves when that was asked for the first time; while it cannot be known, the last answer counts.
 */
export async function shareSlots(lane: AttemptLane, deps: SlotShareDeps): Promise<AttemptLane> {
  const { askEveryMs = ASK_EVERY_MS } = deps;
  const most = Math.max(1, Math.floor(deps.share * lane.slots));
  if (most >= lane.slots) return lane;
  const running = new Map<number, number>();
  let isShared = await askIfShared(deps, false);
  const ask = () => {
    askIfShared(deps, isShared).then((answer) => {
      isShared = answer;
    }, neverRejects);
  };
  const timer = setInterval(ask, askEveryMs);

  function count(applicationId: number, change: 1 | -1): void {
    const left = (running.get(applicationId) ?? 0) + change;
    if (left > 0) running.set(applicationId, left);
    else running.delete(applicationId);
  }

  function start(task: Parameters<AttemptLane["start"]>[0]): RunningAttempt {
    const attempt = lane.start(task);
    const { id } = task.application;
    count(id, 1);
    attempt.gone.then(() => count(id, -1), neverRejects);
    return attempt;
  }

  return {
    ...lane,
    // What is served can change while the lane lives.
    get jobs() {
      return lane.jobs;
    },
    start,
    claimLimits: () => (isShared ? limitsOf(running, most) : NO_LIMITS),
    close: () => {
      clearInterval(timer);
      return lane.close();
    },
  };
}

/** Nobody else is there. */
const NO_LIMITS: ClaimLimits = {
  isUneven: false,
  allowance: () => ({ isClosed: () => false, take: () => true, probeTurn: () => null }),
};

function limitsOf(running: ReadonlyMap<number, number>, most: number): ClaimLimits {
  return {
    isUneven: [...running.values()].some((count) => count >= most),
    allowance: () => {
      const left = new Map<number, number>();
      const leftOf = (id: number) => left.get(id) ?? most - (running.get(id) ?? 0);
      return {
        isClosed: (id) => leftOf(id) <= 0,
        take: (id) => {
          if (leftOf(id) <= 0) return false;
          left.set(id, leftOf(id) - 1);
          return true;
        },
        probeTurn: () => null,
      };
    },
  };
}

async function askIfShared(
  { applications, logger }: SlotShareDeps,
  before: boolean,
): Promise<boolean> {
  try {
    return (await applications.countInUse(IN_USE_MS)) > 1;
  } catch (thrown) {
    logger.debug({ error: messageOf(thrown) }, "it is not known who else creates tasks");
    return before;
  }
}

/** Of promises that only resolve. */
const neverRejects = () => undefined;
