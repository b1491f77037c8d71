// Serves one lane of an executor: hears doorbells, claims, owns its attempts, renews their leases, finishes them.

import type { AttemptLane } from "../core/attempt.ts";
import { messageOf } from "../core/errors.ts";
import { failpoint } from "../core/failpoints.ts";
import type { LiveAnswer, LiveQuestion } from "../core/live.ts";
import type { Logger } from "../core/logger.ts";
import { shiftReceipt } from "../core/shift-times.ts";
import type { ClaimedTask, Lane } from "../core/task.ts";
import type { DoorbellListener, Queue } from "../queue/queue.ts";
import type { Store, TurnResult } from "../store/store.ts";
import { createAlarm } from "./alarm.ts";
import { createOwnedAttempts, type OwnedAttempt } from "./attempt-table.ts";
import { keepCheckpoints } from "./checkpoints.ts";
import { createClockOffset } from "./clock-offset.ts";
import { keepLeases } from "./leases.ts";
import type { MemoryPressure } from "./memory-evidence.ts";
import { shedMemory } from "./shed-memory.ts";
import { createStrays } from "./strays.ts";
import { logTurnFailure, takeTurn } from "./turn.ts";
import { createWatches, type FeedNews } from "./watched.ts";

/** Longest wait between two turns, should every doorbell be lost. */
const IDLE_MS = 1000;
/** Pause when work is due that another consumer is just taking. */
const CONTESTED_MS = 10;
/** The same when some applications may have nothing: below what a task may wait after it is due. */
const LIMITED_MS = 40;
const FIRST_BACKOFF_MS = 50;

export interface ConsumerDeps {
  readonly store: Pick<Store, "tasks" | "attempts" | "now">;
  readonly queue: Queue;
  readonly attempts: AttemptLane;
  readonly lane: Lane;
  readonly serviceId: string;
  readonly leaseMs: number;
  readonly logger: Logger;
  /** Something of this attempt cannot be killed from here: the executor must be replaced. */
  readonly onUnkillable: (task: ClaimedTask) => void;
  /** What watched attempts say. */
  readonly onNews: (news: FeedNews) => void;
}

export interface Consumer {
  /** Claims nothing any more, gives running attempts `graceMs` to end, hands the rest back; settles when all is written. */
  drain(graceMs: number): Promise<void>;
  answer(question: LiveQuestion): Promise<LiveAnswer>;
  /** Ends the attempt that is to blame most likely for the executor's memory. */
  shed(memory: MemoryPressure): void;
  /** Stops the loop and the leases; call after `drain`. */
  close(): Promise<void>;
}

/** Begins to serve the lane at once. */
export async function createConsumer(deps: ConsumerDeps): Promise<Consumer> {
  const alarm = createAlarm();
  const owned = createOwnedAttempts({
    onChange: alarm.ring,
    onUnkillable: noteUnkillable,
    onDefect: (thrown) =>
      deps.logger.error({ error: messageOf(thrown) }, "an attempt broke its lane"),
  });
  const watches = createWatches({ publish: deps.onNews, logger: deps.logger });
  const unreleased: OwnedAttempt[] = [];
  const strays = createStrays({ ...deps, owned: owned.all });
  const turnDeps = { ...deps, strays };
  const clock = createClockOffset(deps.store);
  let lastCoroutineId = 0;
  let failures = 0;
  let isRetired = false;
  let isClosed = false;

  const listener = await deps.queue.listen(deps.lane, (bell) => alarm.ringIn(bell.dueInMs));
  const listening = createListening(listener);
  const stopLeases = keepLeases({ ...deps, owned: owned.all });
  const stopCheckpoints = keepCheckpoints({ ...deps, owned: owned.all });
  const looping = loop();

  async function loop(): Promise<void> {
    while (!isClosed) await alarm.wait(await step());
  }

  /** One turn; resolves to the ms to wait for the next one at most. */
  async function step(): Promise<number> {
    try {
      const waitMs = await turn();
      failures = 0;
      return waitMs;
    } catch (thrown) {
      failures += 1;
      logTurnFailure(deps.logger, thrown, failures);
      return Math.min(FIRST_BACKOFF_MS * 2 ** Math.min(failures, 6), IDLE_MS);
    }
  }

  async function turn(): Promise<number> {
    await release();
    await strays.handBack();
    await clock.refresh();
    const ended = owned.all().filter((attempt) => attempt.end && !attempt.written);
    const taken = await takeTurn(turnDeps, ended, freeCoroutineIds());
    for (const task of taken?.result.claimed ?? []) {
      const grant = { validUntil: taken?.validUntil ?? 0, clockOffsetMs: clock.ms };
      owned.begin(deps.attempts.start(task), grant);
      failpoint("attempt-handed-over");
      lastCoroutineId = Math.max(lastCoroutineId, task.coroutineId);
    }
    unreleased.push(...owned.settle());
    listening.set(freeSlots() > 0);
    if (unreleased.length > 0 || taken?.moreEnded === true) return 0;
    return taken === null ? IDLE_MS : waitAfter(taken.result);
  }

  function waitAfter(result: TurnResult): number {
    const nextDueInMs = Math.min(result.nextDueInMs ?? IDLE_MS, IDLE_MS);
    if (!result.moreDue) return Math.max(nextDueInMs, 1);
    if (result.claimed.length > 0 && freeSlots() > 0) return 0;
    if (freeSlots() > 0) return isLimited() ? LIMITED_MS : CONTESTED_MS;
    deps.queue.ring({ lane: deps.lane, dueInMs: 0 }).catch((thrown: unknown) => {
      deps.logger.debug({ error: messageOf(thrown) }, "the doorbell could not be rung again");
    });
    return IDLE_MS;
  }

  /** What is due may belong to applications that may have nothing now: an end or a bell wakes us before they may. */
  function isLimited(): boolean {
    return deps.attempts.claimLimits?.().isUneven === true;
  }

  function freeSlots(): number {
    return isRetired ? 0 : Math.max(0, deps.attempts.slots - owned.busy());
  }

  function freeCoroutineIds(): number[] {
    return Array.from({ length: freeSlots() }, (_, index) => lastCoroutineId + 1 + index);
  }

  function noteUnkillable(attempt: OwnedAttempt): void {
    isRetired = true;
    deps.onUnkillable(attempt.running.task);
  }

  /** Tells the store of threads that died only after their attempt was recorded. */
  async function release(): Promise<void> {
    for (let late = unreleased[0]; late !== undefined; late = unreleased[0]) {
      const proof = late.gone && shiftReceipt(late.gone, late.clockOffsetMs);
      await deps.store.tasks.release(late.lease, proof);
      unreleased.shift();
    }
  }

  async function drain(graceMs: number): Promise<void> {
    isRetired = true;
    listening.set(false);
    alarm.ring();
    if (await owned.isIdleWithin(graceMs)) return;
    const why = "its executor was ending and handed the attempt back";
    for (const attempt of owned.all()) attempt.running.stop("interrupt", { why });
    await owned.isIdleWithin(Number.POSITIVE_INFINITY);
  }

  async function answer(question: LiveQuestion): Promise<LiveAnswer> {
    if (question.kind === "hosts") return hostsOf(deps.attempts);
    const attempt = owned.find(question);
    if (attempt === undefined) return { kind: "unknown" };
    if (question.kind === "inspect") return { kind: "view", view: await attempt.running.inspect() };
    if (question.kind === "watch") {
      watches.renew(attempt, question.afterSeq);
      return { kind: "watched" };
    }
    failpoint("cancel-heard");
    attempt.running.stop("cancel", { graceMs: question.graceMs ?? 0 });
    const receipt = shiftReceipt(await attempt.running.gone, attempt.clockOffsetMs);
    return { kind: "receipt", receipt };
  }

  async function close(): Promise<void> {
    isClosed = true;
    alarm.ring();
    await Promise.all([looping, stopLeases(), stopCheckpoints(), listener.close()]);
    await release();
    watches.close();
    await deps.attempts.close();
  }

  function shed(memory: MemoryPressure): void {
    shedMemory(owned.all(), memory).catch((thrown: unknown) =>
      deps.logger.error({ error: messageOf(thrown) }, "nobody could be blamed for the memory"),
    );
  }

  return { drain, answer, close, shed };
}

function hostsOf({ hosts }: AttemptLane): LiveAnswer {
  return hosts === undefined ? { kind: "unknown" } : { kind: "hosts", hosts: hosts() };
}

/** Pauses and resumes the listener only when the wish changes. */
function createListening(listener: DoorbellListener): { set(isWanted: boolean): void } {
  let isOpen = true;
  return {
    set(isWanted) {
      if (isWanted === isOpen) return;
      isOpen = isWanted;
      if (isWanted) listener.resume();
      else listener.pause();
    },
  };
}
