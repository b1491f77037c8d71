// The use case of watching a task: what was kept of its attempts, then what the running one says, until it is over.
import type { Bus, Follower } from "../bus/bus.ts";
import { feedOf, WATCH_MS } from "../core/live.ts";
import { askStore } from "../core/store-answer.ts";
import { isTerminal, type Task, type TerminalStatus } from "../core/task.ts";
import { eventsAfter, firstSeqOf } from "../core/trace-events.ts";
import type { TraceEvent } from "../core/views/trace-event.ts";
import { within } from "../core/within.ts";
import type { Attempt } from "../store/attempt-store.ts";
import type { Store, TaskDetail, TaskReference } from "../store/store.ts";

export interface WatchTaskDeps {
  readonly store: Pick<Store, "tasks" | "attempts">;
  readonly bus: Pick<Bus, "ask" | "follow">;
}

/** An event of a task: which attempt (by its fence, which is its number over all lives), and which of its events. */
export interface EventPlace {
  readonly fence: number;
  readonly seq: number;
}

export type StreamItem =
  | { readonly kind: "event"; readonly fence: number; readonly event: TraceEvent }
  /** What came after the watcher's last event is not there any more; what follows is what there is. */
  | { readonly kind: "reset"; readonly reason: ResetReason; readonly from?: EventPlace }
  | { readonly kind: "end"; readonly status: TerminalStatus };

export type ResetReason = "gap" | "unknown-position" | "live-lost" | "slow-reader" | "old";

export interface WatchTask {
  readonly reference: TaskReference;
  /** The last event the watcher has; null: from the beginning. */
  readonly after: EventPlace | null;
  /** Ends the watching, also while it waits. */
  readonly signal: AbortSignal;
}

const MOST_ATTEMPTS = 100;
const ASK_MS = 1_000;
const RENEW_MS = WATCH_MS / 3;
const READ_MS = 1_000;
/** Between two looks at a task that is not running. */
const LOOK_EVERY_MS = 500;
/** Between two tries to reach an executor that does not answer. */
const RETRY_MS = 1_000;

const START: EventPlace = { fence: 0, seq: 0 };

/**
 * Everything of a task in its order, from any api process. Ends after `end`, after `reset` with `live-lost`, and when
 * the signal fires. Throws AppError `unavailable`.
 * @example for await (const item of watchTask(deps, { reference, after: null, signal })) send(item);
 */
export async function* watchTask(
  deps: WatchTaskDeps,
  watch: WatchTask,
): AsyncGenerator<StreamItem> {
  let place: EventPlace | null = yield* firstPlace(deps, watch);
  while (place !== null && !watch.signal.aborted) place = yield* playRound(deps, watch, place);
}

/** Where to begin; a place that cannot be is none. */
async function* firstPlace(
  { store }: WatchTaskDeps,
  { after, reference }: WatchTask,
): AsyncGenerator<StreamItem, EventPlace> {
  if (after === null) return START;
  const detail = await askStore(() => store.tasks.find(reference));
  if (after.fence <= (detail?.task.fence ?? 0)) return after;
  yield { kind: "reset", reason: "unknown-position" };
  return START;
}

/** Everything that is there after the place; resolves to the place reached, or null when nothing more is to come. */
async function* playRound(
  deps: WatchTaskDeps,
  watch: WatchTask,
  place: EventPlace,
): AsyncGenerator<StreamItem, EventPlace | null> {
  const detail = await askStore(() => deps.store.tasks.find(watch.reference));
  if (detail === undefined) return null;
  const { task } = detail;
  const reached = yield* playAttempts(deps, watch, { detail, place });
  if (reached !== null && isTerminal(task.status)) {
    yield { kind: "end", status: task.status };
    return null;
  }
  // What ran was followed to its end: the database has it by now.
  if (!isFollowed(task)) await pause(LOOK_EVERY_MS, watch.signal);
  return reached;
}

function isFollowed({ status, lane }: Task): boolean {
  return status === "running" && lane === "job";
}

interface Standing {
  readonly detail: TaskDetail;
  readonly place: EventPlace;
}

/** All attempts after the place; resolves to the place after them, or null when the live wire was lost. */
async function* playAttempts(
  deps: WatchTaskDeps,
  watch: WatchTask,
  { detail: { task, latest }, place }: Standing,
): AsyncGenerator<StreamItem, EventPlace | null> {
  // Once an attempt's end was played the place is in the next one: nothing to read until there is one.
  if (latest === null || latest.fence < place.fence) return place;
  const attempts = await askStore(() => deps.store.attempts.list(task.id, MOST_ATTEMPTS));
  let reached = place;
  for (const attempt of attempts.filter(({ fence }) => fence >= place.fence)) {
    const seq = attempt.fence === reached.fence ? reached.seq : 0;
    if (attempt.outcome === null) {
      return yield* playRunning(deps, { ...watch, task, attempt, seq });
    }
    yield* replay(deps, { task, attempt, seq });
    reached = { fence: attempt.fence + 1, seq: 0 };
  }
  return reached;
}

interface Playing {
  readonly task: Task;
  readonly attempt: Attempt;
  /** The last event the watcher has of it. */
  readonly seq: number;
}

/** What is kept of an attempt that has ended. */
async function* replay(
  deps: WatchTaskDeps,
  { task, attempt, seq }: Playing,
): AsyncGenerator<StreamItem> {
  const trace = await askStore(() => deps.store.attempts.trace(attempt.id));
  const events = trace?.events ?? [];
  const kept = events.length > 0 ? events : outline(task, attempt, seq);
  yield* itemsOf(attempt.fence, eventsAfter(kept, seq), seq);
}

/** An attempt without events (a delivery, or its executor died with it) still began and ended. */
function outline({ lane }: Task, attempt: Attempt, seq: number): TraceEvent[] {
  const { startedAt, finishedAt, outcome } = attempt;
  const began = { seq: 1, at: startedAt, type: "state", data: { state: "running" } } as const;
  if (outcome === null) return [began];
  // Of a job something may have been seen live: the end comes after that, whatever it was.
  const last = lane === "job" && seq >= 2 ? seq + 1 : 2;
  const ended = { at: finishedAt ?? startedAt, type: "state", data: { state: outcome } } as const;
  return [began, { ...ended, seq: last }];
}

/** Follows the attempt until it has ended or cannot be followed. The place is that of its last event. */
async function* playRunning(
  deps: WatchTaskDeps,
  playing: Playing & Pick<WatchTask, "signal">,
): AsyncGenerator<StreamItem, EventPlace | null> {
  const { task, attempt, signal, seq } = playing;
  if (task.lane === "callback") {
    const began = eventsAfter(outline(task, attempt, seq), seq);
    yield* itemsOf(attempt.fence, began, seq);
    return { fence: attempt.fence, seq: Math.max(1, seq) };
  }
  const watching = await renew(deps, attempt, seq);
  if (!watching) {
    await pause(RETRY_MS, signal);
    return { fence: attempt.fence, seq };
  }
  const follower = deps.bus.follow(feedOf(attempt), seq);
  const stop = () => follower.close();
  signal.addEventListener("abort", stop, { once: true });
  try {
    return yield* follow(deps, playing, follower);
  } finally {
    signal.removeEventListener("abort", stop);
    stop();
  }
}

async function* follow(
  deps: WatchTaskDeps,
  { attempt, seq, signal }: Playing & Pick<WatchTask, "signal">,
  follower: Follower,
): AsyncGenerator<StreamItem, EventPlace | null> {
  const { fence } = attempt;
  const stillRuns = createRenewal(deps, attempt);
  let last = seq;
  let resumedAt = seq;
  while (!signal.aborted) {
    const part = await follower.read(READ_MS);
    if (part.kind === "ended") break;
    if (part.kind === "away") {
      yield { kind: "reset", reason: "live-lost", from: { fence, seq: last } };
      return null;
    }
    if (part.kind === "events") {
      const fresh = eventsAfter(part.events, last);
      yield* itemsOf(fence, fresh, resumedAt);
      resumedAt = 0;
      last = fresh.at(-1)?.seq ?? last;
    }
    if (!(await stillRuns())) break;
  }
  return { fence, seq: last };
}

/** Repeats the wish to watch when it is time. False when nobody grants it: the database knows why. */
function createRenewal(deps: WatchTaskDeps, attempt: Attempt): () => Promise<boolean> {
  let dueMs = performance.now() + RENEW_MS;
  return async () => {
    if (performance.now() < dueMs) return true;
    dueMs = performance.now() + RENEW_MS;
    return renew(deps, attempt);
  };
}

/** Asks the executor to go on; with `afterSeq` what came after it is put on the feed again. */
async function renew(
  { bus }: WatchTaskDeps,
  { taskId, fence, serviceId }: Attempt,
  afterSeq?: number,
): Promise<boolean> {
  const question = { kind: "watch", taskId, fence } as const;
  const asked = afterSeq === undefined ? question : { ...question, afterSeq };
  const answer = await bus.ask(serviceId, asked, ASK_MS).catch(() => undefined);
  return answer?.kind === "watched";
}

/** `resumedAt`: the event a returning watcher has. When the very next one is gone it must know that it missed some. */
function* itemsOf(
  fence: number,
  events: readonly TraceEvent[],
  resumedAt: number,
): Generator<StreamItem> {
  for (const [index, event] of events.entries()) {
    const isMissed = index === 0 && resumedAt > 0 && event.type === "gap";
    if (isMissed && firstSeqOf(event) === resumedAt + 1) {
      yield { kind: "reset", reason: "gap", from: { fence, seq: resumedAt } };
    }
    yield { kind: "event", fence, event };
  }
}

/** Waits, or until the signal fires. */
async function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  const { promise: aborted, resolve } = Promise.withResolvers<unknown>();
  signal.addEventListener("abort", resolve);
  await within(aborted, ms);
  signal.removeEventListener("abort", resolve);
}
