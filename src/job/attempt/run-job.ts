// One attempt of a job from the consumer's side: hand-over, deadline, abort, kill with proof, and exactly one end.
import type { AttemptEnd, KillReceipt, LiveView, RunningAttempt } from "../../core/attempt.ts";
import { messageOf } from "../../core/errors.ts";
import type { Logger } from "../../core/logger.ts";
import type { TraceEvent } from "../../core/views/trace-event.ts";
import { within } from "../../core/within.ts";
import type { JobHost } from "../host/job-host.ts";
import type { Pool, PooledJobWorker } from "../host/pool.ts";
import { errorData } from "../wire/error-data.ts";
import { acceptWithinMs, type JobAttemptOptions, orderOf } from "./attempt-order.ts";
import {
  abortAfterMs,
  crashStop,
  deadlineStop,
  type KillWords,
  LIMITS_MS,
  NOTHING_RUNS,
  OWN_OUTCOMES,
  receiptOf,
  requestedStop,
  type Stop,
} from "./attempt-stop.ts";
import { type AttemptObserver, createAttemptObserver } from "./attempt-view.ts";
import { endEarly } from "./end-early.ts";
import { endByKill } from "./killed-end.ts";
import { suspectOf } from "./memory-suspect.ts";
import { type Offer, type OwnEnd, offerAttempt } from "./offer.ts";

export interface RunJobDeps {
  readonly pool: Pool;
  /** Real path of JOBS_DIR. */
  readonly jobsDir: string;
  readonly logger: Logger;
}

/** Where no job worker can be started, the next try is left for later: at once it would only fail again. */
const FAILED_START_MS = 1_000;

/** An attempt in the hands of a job worker; `stop` when it is being stopped. */
interface Handed {
  readonly jobWorker: PooledJobWorker;
  readonly offer: Offer;
  readonly stop?: Stop;
}

/** Starts the attempt; its time runs from now. */
export function runJob(deps: RunJobDeps, options: JobAttemptOptions): RunningAttempt {
  const attempt = new JobAttempt(deps, options);
  return {
    task: options.task,
    ended: attempt.ended,
    gone: attempt.gone,
    inspect: () => attempt.observer.inspect(),
    eventsAfter: (seq) => attempt.eventsAfter(seq),
    excerpts: (view) => attempt.observer.excerpts(view),
    noteCheckpoint: (view) => attempt.noteCheckpoint(view),
    stop: (reason, how) => attempt.stop(requestedStop(reason, how)),
    lease: (leftMs) => attempt.lease(leftMs),
    suspect: () => attempt.suspect(),
  };
}

/** The life of one attempt. Every wait in it has a deadline, and its promises settle once and never reject. */
class JobAttempt {
  readonly ended: Promise<AttemptEnd>;
  readonly gone: Promise<KillReceipt>;
  readonly observer: AttemptObserver;
  readonly #settleEnded: (end: AttemptEnd) => void;
  readonly #settleGone: (receipt: KillReceipt | Promise<KillReceipt>) => void;
  readonly #stopped = Promise.withResolvers<Stop>();
  /** Settles at a second stop: what grace the first one gave is over. */
  readonly #hurried = Promise.withResolvers<undefined>();
  readonly #startedMs = performance.now();
  readonly #deps: RunJobDeps;
  readonly #options: JobAttemptOptions;
  readonly #timers: readonly NodeJS.Timeout[];
  #jobWorker: PooledJobWorker | null = null;
  /** What imports the job's file for it. */
  #loading: JobHost | null = null;
  #isStopped = false;
  #leaseUntilMs = Number.POSITIVE_INFINITY;
  #isAbortDue = false;
  #isNoting = false;

  constructor(deps: RunJobDeps, options: JobAttemptOptions) {
    this.#deps = deps;
    this.#options = options;
    const { job } = options;
    this.observer = createAttemptObserver({
      jobsDir: deps.jobsDir,
      job,
      startedMs: this.#startedMs,
    });
    ({ promise: this.ended, resolve: this.#settleEnded } = Promise.withResolvers<AttemptEnd>());
    ({ promise: this.gone, resolve: this.#settleGone } = Promise.withResolvers<KillReceipt>());
    this.#timers = this.#startTimers();
    this.#drive().catch((thrown: unknown) => this.#fail(thrown));
  }

  stop(stop: Stop): void {
    if (this.#isStopped && stop.graceMs === 0) this.#hurried.resolve(undefined);
    this.#isStopped = true;
    this.#stopped.resolve(stop);
  }

  lease(leftMs: number): void {
    this.#leaseUntilMs = performance.now() + leftMs;
    (this.#jobWorker?.host ?? this.#loading)?.lease(leftMs);
  }

  suspect() {
    return suspectOf(this.#options.job, this.#jobWorker?.host ?? this.#loading, this.#startedMs);
  }

  eventsAfter(seq: number): readonly TraceEvent[] {
    // Of a process this reads the copy fetched last time: a caller that reads again and again is one step behind.
    if (this.#jobWorker !== null) this.#inBackground(this.#jobWorker.host.refresh());
    return this.observer.eventsAfter(seq);
  }

  /** One that spins cannot hear it: no second one is sent before its event loop has turned. */
  noteCheckpoint({ state, frames }: LiveView): void {
    const { id } = this.#options;
    const [place = null] = frames;
    if (this.#isNoting || this.#jobWorker === null) return;
    this.#isNoting = true;
    const { host } = this.#jobWorker;
    host.post({ kind: "checkpoint", id, data: { state, place } });
    const heard = host.ping(LIMITS_MS.checkpoint).finally(() => {
      this.#isNoting = false;
    });
    this.#inBackground(heard);
  }

  #startTimers(): NodeJS.Timeout[] {
    const { timeoutMs } = this.#options;
    const onDeadline = () => this.stop(deadlineStop(this.#startedMs + timeoutMs));
    const onAbort = () => {
      this.#isAbortDue = true;
      if (this.#jobWorker !== null) this.#inBackground(this.#abortEarly(this.#jobWorker));
    };
    return [setTimeout(onAbort, abortAfterMs(timeoutMs)), setTimeout(onDeadline, timeoutMs)];
  }

  /** The ping tells afterwards whether the job waited or was busy when its time was up. */
  async #abortEarly({ host }: PooledJobWorker): Promise<void> {
    const { id } = this.#options;
    await this.observer.abort({ kind: "abort", id, reason: "timeout" });
    this.observer.waited(await host.ping(LIMITS_MS.lateEnd));
  }

  /** Hands the attempt to job workers until one accepts it, and sees it to its end. */
  async #drive(): Promise<void> {
    for (;;) {
      const jobWorker = await this.#take();
      if (jobWorker === null) return;
      const offer = this.#offerTo(jobWorker);
      const first = await Promise.race([offer.ownEnd, offer.notAccepted, this.#stopped.promise]);
      if (first.kind === "stop") return this.#stopRunning({ jobWorker, offer, stop: first });
      if (first.kind !== "not-accepted") return this.#endByItself({ jobWorker, offer }, first);
      this.#jobWorker = null;
      this.observer.refused();
      this.#inBackground(this.#deps.pool.replace(jobWorker));
    }
  }

  /** Null when the attempt has ended before any of its code could run. */
  async #take(): Promise<PooledJobWorker | null> {
    const { job, task } = this.#options;
    const taking = this.#deps.pool.take(job, task.attemptId);
    this.#loading = taking.loading;
    if (taking.loading !== null) this.observer.loading(taking.loading);
    const first = await Promise.race([taking.taken, this.#stopped.promise]);
    this.#loading = null;
    if (first.kind === "taken") return first.jobWorker;
    const { end, gone } = await endEarly({ taking, observer: this.observer }, first);
    this.#end(end);
    this.#settleGone(gone);
    return null;
  }

  #offerTo(jobWorker: PooledJobWorker): Offer {
    const { host } = jobWorker;
    this.observer.offered(host);
    if (this.#leaseUntilMs < Number.POSITIVE_INFINITY) {
      host.lease(this.#leaseUntilMs - performance.now());
    }
    const order = orderOf(this.#options, this.#startedMs);
    const offer = offerAttempt(host, order, acceptWithinMs(this.#options.timeoutMs));
    this.#jobWorker = jobWorker;
    if (this.#isAbortDue) this.#inBackground(this.#abortEarly(jobWorker));
    return offer;
  }

  async #endByItself({ jobWorker, offer, stop }: Handed, end: OwnEnd): Promise<void> {
    if (end.kind === "threw" && end.aborted) {
      const sinceMs = this.#startedMs + abortAfterMs(this.#options.timeoutMs);
      return this.#kill(jobWorker, stop ?? deadlineStop(sinceMs), "abort");
    }
    if (stop?.outcome === "cancelled" && end.kind !== "returned") {
      const how = end.kind === "threw" ? "abort" : undefined;
      return this.#kill(jobWorker, { ...stop, error: end.error }, how);
    }
    if (end.kind === "crashed") return this.#kill(jobWorker, crashStop(end));
    const outcome = OWN_OUTCOMES[end.kind];
    await jobWorker.host.refresh();
    const trace = this.observer.end(outcome);
    if (end.kind === "returned") this.#end({ outcome, result: end.result, trace });
    else this.#end({ outcome, error: end.error, trace });
    this.#settleGone(await this.#comeToRest(jobWorker, offer));
  }

  /** A success already reached wins over the deadline and over a cancel. */
  async #stopRunning(handed: Required<Handed>): Promise<void> {
    const { jobWorker, offer, stop } = handed;
    if (await offer.withdraw()) return this.#kill(jobWorker, stop);
    const end = stop.by === "deadline" ? undefined : await this.#askToEnd(handed);
    if (end !== undefined) return this.#endByItself(handed, end);
    const hasEnded = await jobWorker.host.hasEnded(this.#options.id);
    const late = hasEnded ? await within(offer.ownEnd, LIMITS_MS.lateEnd) : undefined;
    if (late !== undefined) return this.#endByItself(handed, late);
    return this.#kill(jobWorker, stop);
  }

  /** Fires the signal. Without grace a busy job is killed all the same, and a waiting one shows that it waits. */
  async #askToEnd({ jobWorker, offer, stop }: Required<Handed>): Promise<OwnEnd | undefined> {
    const reason = stop.outcome === "cancelled" ? "cancel" : "interrupt";
    const { id } = this.#options;
    await this.observer.abort({ kind: "abort", id, reason });
    const first = await Promise.race([offer.ownEnd, jobWorker.host.ping(LIMITS_MS.lastPing)]);
    if (typeof first !== "boolean") return first;
    this.observer.waited(first);
    if (stop.graceMs === 0) return;
    const end = await within(Promise.race([offer.ownEnd, this.#hurried.promise]), stop.graceMs);
    if (end === undefined) this.observer.waited(await jobWorker.host.ping(LIMITS_MS.lastPing));
    return end;
  }

  async #kill(jobWorker: PooledJobWorker, stop: Stop, how?: "abort"): Promise<void> {
    const method = how ?? jobWorker.host.method;
    await jobWorker.host.refresh();
    const last = this.observer.lastLook(method);
    const killing = this.#replace(jobWorker, { sinceMs: stop.sinceMs, method });
    const { end, gone } = await endByKill({ observer: this.observer, last, killing, method }, stop);
    this.#end(end);
    this.#settleGone(gone);
  }

  /** Waits until nothing of the attempt keeps the thread busy; if something does, it costs no other attempt anything. */
  async #comeToRest(jobWorker: PooledJobWorker, offer: Offer): Promise<KillReceipt> {
    const isIdle = await within(offer.idle, LIMITS_MS.rest);
    if (isIdle !== true) return this.#replace(jobWorker);
    return { ...NOTHING_RUNS, killed: await this.#deps.pool.giveBack(jobWorker) };
  }

  async #replace(jobWorker: PooledJobWorker, how: Partial<KillWords> = {}): Promise<KillReceipt> {
    const { sinceMs = performance.now(), method = jobWorker.host.method } = how;
    return receiptOf(await this.#deps.pool.replace(jobWorker), { sinceMs, method });
  }

  /** From here on its job worker may serve another attempt: nothing is said to it any more. */
  #end(end: AttemptEnd): void {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#jobWorker = null;
    this.#settleEnded(end);
  }

  #inBackground(work: Promise<unknown>): void {
    work.catch((thrown: unknown) => {
      this.#deps.logger.warn({ error: messageOf(thrown) }, "a job worker could not be put away");
    });
  }

  /** A defect of ours, or no thread could be started: the task is not to pay for it. */
  #fail(thrown: unknown): void {
    const { taskId, attempt } = this.#options.task;
    const fields = { task_id: taskId, attempt, error: messageOf(thrown) };
    this.#deps.logger.error(fields, "an attempt could not be driven to its end");
    const jobWorker = this.#jobWorker;
    this.#end({ outcome: "interrupted", error: errorData(thrown), retryAfterMs: FAILED_START_MS });
    this.#settleGone(jobWorker === null ? NOTHING_RUNS : this.#replace(jobWorker));
  }
}
