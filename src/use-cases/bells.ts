// Rings doorbells after a commit: never in the way of an answer, and a lost one is only logged.

import { messageOf } from "../core/errors.ts";
import { failpoint } from "../core/failpoints.ts";
import type { Logger } from "../core/logger.ts";
import type { Doorbell, Queue } from "../queue/queue.ts";

/** Work that just became durable. */
export interface NewWork extends Doorbell {
  readonly taskId: number;
}

export interface Bells {
  /** Rings once per lane, for its earliest work, unless that is due later than consumers look by themselves. */
  ring(work: readonly NewWork[]): void;
  /** Settles when everything rung so far has been sent or given up. */
  settled(): Promise<void>;
}

/** Consumers look for due work every second without any bell; later work needs none. */
const BELL_HORIZON_MS = 1_500;

export function createBells(deps: {
  readonly queue: Pick<Queue, "ring">;
  readonly logger: Logger;
}): Bells {
  const ringing = new Set<Promise<void>>();

  function ringOnce(bell: NewWork): void {
    const sent: Promise<void> = deps.queue
      .ring(bell)
      .then(() => failpoint("bell-rung"))
      .catch((thrown: unknown) => logLoss(deps.logger, bell, thrown))
      .finally(() => ringing.delete(sent));
    ringing.add(sent);
  }

  return {
    ring(work) {
      for (const bell of earliestOfLanes(work)) {
        if (bell.dueInMs <= BELL_HORIZON_MS) ringOnce(bell);
      }
    },
    async settled() {
      await Promise.all(ringing);
    },
  };
}

/** Rings without waiting for it. */
export function ringAside(
  deps: { readonly queue: Pick<Queue, "ring">; readonly logger: Logger },
  bell: Doorbell,
): void {
  deps.queue.ring(bell).catch((thrown: unknown) => logLoss(deps.logger, bell, thrown));
}

function logLoss(logger: Logger, bell: Doorbell, thrown: unknown): void {
  const fields = { lane: bell.lane, task_id: bell.taskId, error: messageOf(thrown) };
  logger.warn(fields, "the doorbell may be lost; consumers find the task by themselves");
}

function earliestOfLanes(work: readonly NewWork[]): Iterable<NewWork> {
  const earliest = new Map<string, NewWork>();
  for (const bell of work) {
    const known = earliest.get(bell.lane);
    if (known === undefined || bell.dueInMs < known.dueInMs) earliest.set(bell.lane, bell);
  }
  return earliest.values();
}
