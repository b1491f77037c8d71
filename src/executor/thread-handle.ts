// A consumer thread as the executor's main thread sees it.
import { Worker } from "node:worker_threads";
import type { MemoryPressure } from "../consumer/memory-evidence.ts";
import type { FeedNews } from "../consumer/watched.ts";
import { AppError, messageOf } from "../core/errors.ts";
import type { Link } from "../core/link.ts";
import type { LiveAnswer, LiveQuestion } from "../core/live.ts";
import { within } from "../core/within.ts";
import { linkOfPort } from "../process/ipc-link.ts";
import {
  type ConsumerThreadData,
  type Failure,
  type FromConsumer,
  type GroupNews,
  isFor,
  type LoadedJobs,
} from "./consumer-protocol.ts";

/** Longer than any job worker may take to die, so that the answer can be its receipt. */
const ANSWER_MS = 4000;

export interface ConsumerThread {
  /** Doorbells travel here too. */
  readonly link: Link;
  /** Settles with what the lane found; rejects (AppError `configuration` where the operator must act). */
  readonly loaded: Promise<LoadedJobs | null>;
  /** Settles when it hears doorbells. */
  begin(): Promise<void>;
  /** Has it import what it inherited; see `ThreadEvents.onJobs`. */
  importAll(): void;
  ask(question: LiveQuestion): Promise<LiveAnswer>;
  /** Has it end the attempt to blame for the executor's memory. */
  shed(memory: MemoryPressure): void;
  /** Settles when nothing runs and every end is written. */
  drain(graceMs: number): Promise<void>;
}

export interface ThreadEvents {
  /** Something of this task's attempt cannot be killed by the thread. */
  onUnkillable(taskId: number): void;
  /** What watched attempts say. */
  onNews(news: FeedNews): void;
  /** It serves other jobs than it said when it had loaded. */
  onJobs(jobs: LoadedJobs): void;
  /** A job process of it began, or is proven gone. */
  onGroup(news: GroupNews): void;
  /** The thread died by itself. */
  onDeath(why: string): void;
}

/** Starts the thread; it loads at once and claims after `begin`. */
export function createConsumerThread(
  data: ConsumerThreadData,
  events: ThreadEvents,
): ConsumerThread {
  const thread = new Worker(new URL("./consumer-thread.ts", import.meta.url), { workerData: data });
  const link = linkOfPort(thread);
  const loaded = Promise.withResolvers<LoadedJobs | null>();
  const begun = Promise.withResolvers<void>();
  const drained = Promise.withResolvers<void>();
  const asked = new Map<number, (answer: LiveAnswer) => void>();
  let lastId = 0;

  let isLoading = true;
  loaded.promise.then(endLoading, endLoading);
  thread.on("error", (thrown: unknown) => die(messageOf(thrown)));
  thread.on("exit", (code) => die(`it ended with code ${code}`));
  link.onMessage((message) => {
    if (isFor<FromConsumer>("executor", message)) hear(message);
  });

  function endLoading(): void {
    isLoading = false;
  }

  function die(why: string): void {
    loaded.reject(new Error(`the ${data.lane} consumer died while loading: ${why}`));
    if (!isLoading) events.onDeath(why);
  }

  function hear(message: FromConsumer): void {
    switch (message.kind) {
      case "loaded":
        loaded.resolve(message.jobs);
        break;
      case "imported":
        events.onJobs(message.jobs);
        break;
      case "failed":
        fail(message.failure);
        break;
      case "answer":
        asked.get(message.id)?.(message.answer);
        break;
      case "news":
        events.onNews(message.news);
        break;
      case "unkillable":
        events.onUnkillable(message.taskId);
        break;
      case "group":
        events.onGroup(message);
        break;
      case "begun":
        begun.resolve();
        break;
      case "drained":
        drained.resolve();
    }
  }

  function fail({ isConfiguration, message }: Failure): void {
    loaded.reject(new AppError(isConfiguration ? "configuration" : "internal", message));
    if (!isLoading) events.onDeath(message);
  }

  async function ask(question: LiveQuestion): Promise<LiveAnswer> {
    lastId += 1;
    const id = lastId;
    const graceMs = question.kind === "cancel" ? question.graceMs : 0;
    const { promise, resolve } = Promise.withResolvers<LiveAnswer>();
    asked.set(id, resolve);
    link.send({ to: "consumer", kind: "ask", id, question });
    const answer = await within(promise, ANSWER_MS + (graceMs ?? 0));
    asked.delete(id);
    return answer ?? { kind: "unknown" };
  }

  function drain(graceMs: number): Promise<void> {
    link.send({ to: "consumer", kind: "drain", graceMs });
    return drained.promise;
  }

  return {
    link,
    loaded: loaded.promise,
    begin: () => {
      link.send({ to: "consumer", kind: "begin" });
      return begun.promise;
    },
    importAll: () => link.send({ to: "consumer", kind: "import" }),
    ask,
    shed: (memory) => link.send({ to: "consumer", kind: "shed", memory }),
    drain,
  };
}
