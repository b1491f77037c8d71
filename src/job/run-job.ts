// One attempt of a job from the consumer's side: hand-over, deadline, abort, kill with proof, and exactly one end.
import type {
  AttemptEnd,
  AttemptTrace,
  KillReceipt,
  LiveView,
  RunningAttempt,
  TraceEvent,
} from "../core/attempt.ts";
import { messageOf } from "../core/errors.ts";
import type { Logger } from "../core/logger.ts";
import type { ClaimedTask } from "../core/task.ts";
import { eventsAfter } from "../core/trace-events.ts";
import { within } from "../core/within.ts";
import {
  abortAfterMs,
  type KillWords,
  LIMITS_MS,
  NOTHING_RUNS,
  OWN_OUTCOMES,
  requestedStop,
  STOP_ERRORS,
  type Stop,
} from "./attempt-stop.ts";
import { errorData, platformError } from "./error-data.ts";
import { readEvents } from "./event-ring.ts";
import type { LiveStack } from "./live/reader.ts";
import { emptyView, inspect, type LiveSource, readStack, readTrace, readView } from "./live.ts";
import { type Offer, type OwnEnd, offerAttempt } from "./offer.ts";
import type { Pool, PooledJob, PooledJobWorker, Taken } from "./pool.ts";
import type { AttemptOrder } from "./protocol.ts";

export interface RunJobDeps {
  readonly pool: Pool;
  /** Real path of JOBS_DIR. */
  readonly jobsDir: string;
  readonly logger: Logger;
}

export interface JobAttemptOptions {
  readonly task: ClaimedTask;
  readonly job: PooledJob;
  /** JSON text. */
  readonly params: string;
  readonly timeoutMs: number;
  /** Of this attempt alone among all of this pool; below 2^31. */
  readonly id: number;
}

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
    inspect: () => attempt.inspect(),
    eventsAfter: (seq) => attempt.eventsAfter(seq),
    stop: (reason) => attempt.stop(requestedStop(reason)),
  };
}

/** The life of one attempt. Every wait in it has a deadline, and its promises settle once and never reject. */
class JobAttempt {
  readonly ended: Promise<AttemptEnd>;
  readonly gone: Promise<KillReceipt>;
  readonly #settleEnded: (end: AttemptEnd) => void;
  readonly #settleGone: (receipt: KillReceipt | Promise<KillReceipt>) => void;
  readonly #stopped = Promise.withResolvers<Stop>();
  readonly #startedMs = performance.now();
  readonly #deps: RunJobDeps;
  readonly #options: JobAttemptOptions;
  readonly #timers: readonly NodeJS.Timeout[];
  #jobWorker: PooledJobWorker | null = null;
  #isAbortDue = false;
  #wasWaiting = false;
  /** Where it was when it was told to end, before it could react to that. */
  #stackAtAbort: LiveStack | null = null;
  #lastTrace: AttemptTrace | null = null;
  #cpuBeforeMs: number | null = null;

  constructor(deps: RunJobDeps, options: JobAttemptOptions) {
    this.#deps = deps;
    this.#options = options;
    ({ promise: this.ended, resolve: this.#settleEnded } = Promise.withResolvers<AttemptEnd>());
    ({ promise: this.gone, resolve: this.#settleGone } = Promise.withResolvers<KillReceipt>());
    this.#timers = this.#startTimers();
    this.#drive().catch((thrown: unknown) => this.#fail(thrown));
  }

  stop(stop: Stop): void {
    this.#stopped.resolve(stop);
  }

  async inspect(): Promise<LiveView> {
    if (this.#lastTrace?.view) return this.#lastTrace.view;
    if (this.#jobWorker === null) return emptyView(this.#startedMs);
    return inspect(this.#jobWorker.host, this.#liveSource(this.#jobWorker));
  }

  /** Nothing while a job worker has not accepted it: its memory may still tell of another attempt. */
  eventsAfter(seq: number): readonly TraceEvent[] {
    if (this.#lastTrace !== null) return eventsAfter(this.#lastTrace.events, seq);
    return this.#jobWorker === null
      ? []
      : eventsAfter(readEvents(this.#jobWorker.host.memory), seq);
  }

  #startTimers(): NodeJS.Timeout[] {
    const { timeoutMs } = this.#options;
    const sinceMs = this.#startedMs + timeoutMs;
    const onDeadline = () => this.stop({ kind: "stop", outcome: "timed_out", sinceMs });
    const onAbort = () => {
      this.#isAbortDue = true;
      if (this.#jobWorker !== null) this.#abortEarly(this.#jobWorker);
    };
    return [setTimeout(onAbort, abortAfterMs(timeoutMs)), setTimeout(onDeadline, timeoutMs)];
  }

  /** The ping tells afterwards whether the job waited or was busy when its time was up. */
  #abortEarly({ host }: PooledJobWorker): void {
    this.#stackAtAbort = readStack(host);
    host.post({ kind: "abort", id: this.#options.id, reason: "timeout" });
    const note = (isWaiting: boolean) => {
      this.#wasWaiting = isWaiting;
    };
    host.ping(LIMITS_MS.lateEnd).then(note, () => note(false));
  }

  /** Hands the attempt to job workers until one accepts it, and sees it to its end. */
  async #drive(): Promise<void> {
    const { pool } = this.#deps;
    for (;;) {
      const jobWorker = await this.#take();
      if (jobWorker === null) return;
      const offer = this.#offerTo(jobWorker);
      const first = await Promise.race([offer.ownEnd, offer.notAccepted, this.#stopped.promise]);
      if (first.kind === "stop") return this.#stopRunning({ jobWorker, offer, stop: first });
      if (first.kind !== "not-accepted") return this.#endByItself({ jobWorker, offer }, first);
      this.#jobWorker = null;
      this.#inBackground(pool.replace(jobWorker));
    }
  }

  /** Null when the attempt has ended before any of its code could run. */
  async #take(): Promise<PooledJobWorker | null> {
    const { pool } = this.#deps;
    const taking = pool.take(this.#options.job);
    const first = await Promise.race([taking, this.#stopped.promise]);
    if (first.kind === "taken") return first.jobWorker;
    if (first.kind === "refused") {
      const message = `the job's file cannot be loaded: ${first.message}`;
      this.#end({ outcome: "failed", error: platformError("job_file", message) });
    } else {
      this.#end({ outcome: first.outcome, error: STOP_ERRORS[first.outcome] });
      const giveBack = (taken: Taken) => taken.kind === "taken" && pool.giveBack(taken.jobWorker);
      this.#inBackground(taking.then(giveBack));
    }
    this.#settleGone(NOTHING_RUNS);
    return null;
  }

  #offerTo(jobWorker: PooledJobWorker): Offer {
    const { least, most } = LIMITS_MS.accept;
    const acceptWithinMs = Math.min(most, Math.max(least, this.#options.timeoutMs / 3));
    this.#cpuBeforeMs = jobWorker.host.vitals().cpuMs;
    const offer = offerAttempt(jobWorker.host, this.#order(), acceptWithinMs);
    this.#jobWorker = jobWorker;
    if (this.#isAbortDue) this.#abortEarly(jobWorker);
    return offer;
  }

  #order(): AttemptOrder {
    const { task, id, params, timeoutMs } = this.#options;
    return {
      kind: "attempt",
      id,
      params,
      taskId: task.taskId,
      taskNo: task.taskNo,
      attempt: task.attempt,
      maxAttempts: 1 + task.retry.total,
      deadline: Math.round(Date.now() - (performance.now() - this.#startedMs) + timeoutMs),
    };
  }

  async #endByItself({ jobWorker, offer, stop }: Handed, end: OwnEnd): Promise<void> {
    if (end.kind === "threw" && end.aborted) {
      const sinceMs = this.#startedMs + abortAfterMs(this.#options.timeoutMs);
      const timedOut = { kind: "stop", outcome: "timed_out", sinceMs } as const;
      return this.#kill(jobWorker, stop ?? timedOut, "abort");
    }
    const outcome = OWN_OUTCOMES[end.kind];
    const trace = this.#trace(jobWorker, outcome, null);
    if (end.kind === "returned") this.#end({ outcome, result: end.result, trace });
    else this.#end({ outcome, error: end.error, trace });
    if (end.kind === "crashed") this.#settleGone(this.#replace(jobWorker));
    else this.#settleGone(await this.#comeToRest(jobWorker, offer));
  }

  /** A success already reached wins over the deadline and over a cancel. */
  async #stopRunning(handed: Required<Handed>): Promise<void> {
    const { jobWorker, offer, stop } = handed;
    if (offer.withdraw()) return this.#kill(jobWorker, stop, "thread");
    const end = stop.outcome === "timed_out" ? undefined : await this.#askToEnd(handed);
    const late =
      end ?? (offer.hasEnded() ? await within(offer.ownEnd, LIMITS_MS.lateEnd) : undefined);
    if (late !== undefined) return this.#endByItself(handed, late);
    return this.#kill(jobWorker, stop, "thread");
  }

  /** Fires the signal. Not a grace period: a busy job is killed without it, a waiting one shows that it waits. */
  async #askToEnd({ jobWorker, offer, stop }: Required<Handed>): Promise<OwnEnd | undefined> {
    const reason = stop.outcome === "cancelled" ? "cancel" : "interrupt";
    this.#stackAtAbort = readStack(jobWorker.host);
    jobWorker.host.post({ kind: "abort", id: this.#options.id, reason });
    const first = await Promise.race([offer.ownEnd, jobWorker.host.ping(LIMITS_MS.lastPing)]);
    if (typeof first !== "boolean") return first;
    this.#wasWaiting = first;
    return;
  }

  async #kill(jobWorker: PooledJobWorker, stop: Stop, method: "thread" | "abort"): Promise<void> {
    const { outcome, sinceMs } = stop;
    const stack = this.#stackAtKill(jobWorker, method);
    const killing = this.#replace(jobWorker, { sinceMs, method });
    const proof = await within(killing, LIMITS_MS.proof);
    const notYet = { killed: false, method, latencyMs: Math.round(performance.now() - sinceMs) };
    const trace = this.#trace(jobWorker, outcome, stack);
    this.#end({ outcome, error: STOP_ERRORS[outcome], receipt: proof ?? notYet, trace });
    this.#settleGone(killing);
  }

  /** Waits until nothing of the attempt keeps the thread busy; if something does, it costs no other attempt anything. */
  async #comeToRest(jobWorker: PooledJobWorker, offer: Offer): Promise<KillReceipt> {
    const isIdle = await within(offer.idle, LIMITS_MS.rest);
    if (isIdle !== true) return this.#replace(jobWorker);
    return { ...NOTHING_RUNS, killed: await this.#deps.pool.giveBack(jobWorker) };
  }

  async #replace(jobWorker: PooledJobWorker, how: KillWords = {}): Promise<KillReceipt> {
    const { sinceMs = performance.now(), method = "thread" } = how;
    const killed = await this.#deps.pool.replace(jobWorker);
    return { killed, method, latencyMs: Math.round(performance.now() - sinceMs) };
  }

  #liveSource({ host }: PooledJobWorker): LiveSource {
    const { memory } = host;
    const { jobsDir } = this.#deps;
    return { memory, jobsDir, startedMs: this.#startedMs, cpuBeforeMs: this.#cpuBeforeMs };
  }

  /** A job that waited may have gone on since, because of the abort. */
  #stackAtKill({ host }: PooledJobWorker, method: "thread" | "abort"): LiveStack | null {
    const hasReacted = method === "abort" || this.#wasWaiting;
    return (hasReacted ? this.#stackAtAbort : null) ?? readStack(host);
  }

  /** Of an attempt that ended by itself, with `stack` null, the last `ctx` call tells more than the empty stack. */
  #trace(
    jobWorker: PooledJobWorker,
    outcome: AttemptEnd["outcome"],
    stack: LiveStack | null,
  ): AttemptTrace {
    const source = this.#liveSource(jobWorker);
    const view = readView(source, this.#wasWaiting ? "waiting" : "running", stack);
    this.#lastTrace = readTrace(source, view, outcome);
    return this.#lastTrace;
  }

  #end(end: AttemptEnd): void {
    for (const timer of this.#timers) clearTimeout(timer);
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
    this.#end({ outcome: "interrupted", error: errorData(thrown) });
    this.#settleGone(this.#jobWorker === null ? NOTHING_RUNS : this.#replace(this.#jobWorker));
  }
}
