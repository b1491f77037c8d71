// What can be seen of one attempt from outside: where it is while it runs, and what is kept of it at its end.
import type {
  AttemptTrace,
  Excerpt,
  KillReceipt,
  LiveView,
  Outcome,
  Ran,
  Vitals,
} from "../../core/attempt.ts";
import { eventsAfter } from "../../core/trace-events.ts";
import type { TraceEvent } from "../../core/views/trace-event.ts";
import { readExcerpts } from "../../live/excerpts.ts";
import { runtimeName, runtimeVersion } from "../../process/runtime.ts";
import type { JobHost } from "../host/job-host.ts";
import type { PooledJob } from "../host/pool.ts";
import { readEvents } from "../wire/event-ring.ts";
import type { LiveStack } from "../wire/live-stack.ts";
import type { AbortMessage } from "../wire/protocol.ts";
import {
  emptyView,
  inspect,
  isStarting,
  type LiveSource,
  ownVitals,
  readTrace,
  readView,
} from "./live-view.ts";

export interface ObserverOptions {
  /** Real path of JOBS_DIR. */
  readonly jobsDir: string;
  readonly job: PooledJob;
  /** On the clock of `performance.now()`. */
  readonly startedMs: number;
}

/** The last look at a job worker that is about to be killed: afterwards it cannot be asked. */
export interface LastLook {
  /** Null: only its last `ctx` call tells. */
  readonly stack: LiveStack | null;
  /** When that was; on the clock of `performance.now()`. */
  readonly atMs: number;
  readonly state: LiveView["state"];
  readonly vitals: Vitals;
}

export interface AttemptObserver {
  /** This job worker loads the job for it: until it is on offer, the import is what can be seen. */
  loading(host: JobHost): void;
  /** The attempt is on offer to this job worker. */
  offered(host: JobHost): void;
  /** It did not accept. */
  refused(): void;
  inspect(): Promise<LiveView>;
  /** The lines around the frames of one of its views, as they ran. */
  excerpts(view: LiveView): readonly Excerpt[];
  eventsAfter(seq: number): readonly TraceEvent[];
  /** Tells it to end, and notes where it was before it could react to that. */
  abort(message: AbortMessage): Promise<void>;
  /** Whether its code was suspended in an await when it was to end. */
  waited(isWaiting: boolean): void;
  /** `method`: how it is killed. */
  lastLook(method: KillReceipt["method"]): LastLook;
  /** What is kept of it; with its last look it is one that was killed. */
  end(outcome: Outcome, last?: LastLook): AttemptTrace;
}

/** Only the import is seen before the first offer: the memory of a job worker may still show another attempt. */
export function createAttemptObserver(options: ObserverOptions): AttemptObserver {
  const { jobsDir, job, startedMs } = options;
  let host: JobHost | null = null;
  let cpuBeforeMs: number | null = null;
  let atAbort: { readonly stack: LiveStack | null; readonly atMs: number } | null = null;
  let wasWaiting = false;
  let kept: AttemptTrace | null = null;

  const sourceIn = ({ memory }: JobHost): LiveSource => ({
    memory,
    jobsDir,
    startedMs,
    cpuBeforeMs,
  });

  const nowhere = () => ({ ...emptyView(startedMs), ran: ranOf(job, host) });

  const lastStack = (from: JobHost, method: KillReceipt["method"]) => {
    // A job that waited may have gone on since, because of the abort.
    const hasReacted = method === "abort" || wasWaiting;
    if (hasReacted && atAbort !== null && atAbort.stack !== null) return atAbort;
    return { stack: from.readStack(), atMs: performance.now() };
  };

  return {
    loading(jobWorker) {
      host = jobWorker;
      // A thread that has not told its id yet has used up next to nothing.
      cpuBeforeMs = jobWorker.vitals().cpuMs ?? 0;
    },
    offered(jobWorker) {
      host = jobWorker;
      cpuBeforeMs = jobWorker.vitals().cpuMs;
    },
    refused() {
      host = null;
    },
    async inspect() {
      if (kept?.view) return kept.view;
      if (host === null) return nowhere();
      const asked = host;
      await asked.refresh();
      const view = await inspect(asked, sourceIn(asked));
      // It may have ended meanwhile, and what was read may be of the next attempt of that job worker.
      return kept?.view ?? { ...view, ran: ranOf(job, asked) };
    },
    excerpts: ({ frames }) => readExcerpts(frames, (path) => loadedAs(job, host, path)),
    eventsAfter(seq) {
      if (kept !== null) return eventsAfter(kept.events, seq);
      return host === null ? [] : eventsAfter(readEvents(host.memory), seq);
    },
    async abort(message) {
      const atMs = performance.now();
      const stack = (await host?.abort(message)) ?? null;
      atAbort = { stack, atMs };
    },
    waited(isWaiting) {
      wasWaiting = isWaiting;
    },
    lastLook(method) {
      if (host === null) throw new Error("nobody has the attempt");
      const seen = lastStack(host, method);
      // A job that received the abort was waiting, or had nothing on the processor.
      const hasHeard = method === "abort" && seen.stack?.state !== "running";
      const waitedOrNot = wasWaiting || hasHeard ? "waiting" : "running";
      const state = isStarting(host, seen.stack) ? "starting" : waitedOrNot;
      return { ...seen, state, vitals: lastVitals(host, cpuBeforeMs) };
    },
    end(outcome, last) {
      if (host === null) return { view: nowhere(), events: [] };
      const source = sourceIn(host);
      const state = last?.state ?? (wasWaiting ? "waiting" : "running");
      const place = readView(source, state, last?.stack ?? null);
      const view = { ...place, ran: ranOf(job, host) };
      kept =
        last === undefined
          ? readTrace(source, view, outcome)
          : {
              ...readTrace(source, { ...view, vitals: last.vitals }, outcome),
              autopsy: examine(view, last, (path) => loadedAs(job, host, path)),
            };
      return kept;
    },
  };
}

function examine(
  { frames }: LiveView,
  { stack, atMs }: LastLook,
  find: Parameters<typeof readExcerpts>[1],
): NonNullable<AttemptTrace["autopsy"]> {
  const excerpts = readExcerpts(frames, find);
  if (stack !== null && stack.frames.length > 0) {
    return { source: "live", ageMs: Math.round(performance.now() - atMs), excerpts };
  }
  return { source: frames.length > 0 ? "last-call" : "none", ageMs: null, excerpts };
}

/** The executor's own memory can be told also where the thread never could be asked. */
function lastVitals(host: JobHost, cpuBeforeMs: number | null): Vitals {
  const vitals = ownVitals(host, cpuBeforeMs);
  if (host.method === "process" || vitals.memoryAgeMs !== null) return vitals;
  return { ...vitals, rssBytes: process.memoryUsage.rss(), memoryAgeMs: 0 };
}

function loadedAs(job: PooledJob, host: JobHost | null, path: string) {
  const loaded = host?.loaded(path);
  if (loaded !== undefined || path !== job.file || job.sourceHash === undefined) return loaded;
  // Nobody noted what was loaded; the catalogue knows what there was when the executor began.
  return { path, hash: job.sourceHash };
}

function ranOf(job: PooledJob, host: JobHost | null): Ran {
  const sourceHash = loadedAs(job, host, job.file)?.hash ?? null;
  return { runtime: runtimeName(), version: runtimeVersion(), sourceHash };
}
