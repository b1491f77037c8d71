// The entry of a job worker: imports one job file and runs its attempts, one at a time. The only home of job code.
import { readlinkSync } from "node:fs";
import { dirname } from "node:path";
import type { MessagePort } from "node:worker_threads";
import type { AttemptError } from "../../core/attempt.ts";
import { secretKeys } from "../../core/secret-keys.ts";
import { installLiveRuntime, type LiveRuntime } from "../../live/inside/runtime.ts";
import { threadStat } from "../../process/thread-stat.ts";
import type { Job } from "../../sdk/define-job.ts";
import { errorData, platformError } from "../wire/error-data.ts";
import { memoryNow, onRejection, parseJson, soon } from "../wire/intrinsics.ts";
import { liveMemoryOf } from "../wire/live-memory.ts";
import { mapLiveMemory } from "../wire/map-file.ts";
import { MISFIT_REASON } from "../wire/misfit.ts";
import type {
  AttemptOrder,
  Boot,
  FromJobWorker,
  JobEnd,
  LiveBoot,
  LoadMessage,
  ToJobWorker,
} from "../wire/protocol.ts";
import {
  openSharedMemory,
  PHASES,
  SHARED_WORDS,
  type SharedMemory,
} from "../wire/shared-memory.ts";
import { shownValue } from "../wire/shown-values.ts";
import { type AskSource, createAsker } from "../wire/source-link.ts";
import { type AttemptScope, createAttemptScope, scopeInside } from "./attempt-scope.ts";
import { concealOwnProcess, concealParentPort, concealProcessEnv } from "./conceal.ts";
import { hearBoot } from "./hear-boot.ts";
import { captureConsole } from "./job-console.ts";
import { createJobContext, writeLine } from "./job-context.ts";
import { resultText } from "./job-result.ts";
import { loadJob } from "./load-job.ts";
import { openLoader } from "./loader.ts";
import { createUntraced } from "./untraced-files.ts";

/** Bytes of JSON; with its frame around it the event stays below 4 KiB. */
const MAX_SHOWN_RESULT = 3_800;

/** Engines keep ten frames, of which packages may take all. */
const STACK_FRAMES = 50;

/** Everything that lasts longer than an attempt. */
interface JobWorker {
  readonly memory: SharedMemory;
  readonly post: (message: FromJobWorker) => void;
  readonly live: LiveBoot | null;
  job: Job | null;
  /** Finds the keys whose values the job does not want to be shown. */
  secret: RegExp;
  /** Of a job whose code notes where it is. */
  runtime: LiveRuntime | null;
  /** The newest attempt, also after its end. */
  scope: AttemptScope | null;
}

hearBoot((boot) => {
  concealParentPort();
  concealProcessEnv(boot.env);
  start(boot.port as MessagePort, boot);
});

function start(port: MessagePort, boot: Boot): void {
  const worker: JobWorker = {
    memory: openSharedMemory(boot.memory),
    post: port.postMessage.bind(port),
    live: boot.live,
    job: null,
    secret: secretKeys([]),
    runtime: null,
    scope: null,
  };
  Error.stackTraceLimit = STACK_FRAMES;
  const exit = process.exit.bind(process);
  concealOwnProcess((call) => {
    const message = `the job's code ended its own process: ${call}`;
    tellCrash(worker, platformError("exit", message));
    return exit(1);
  });
  captureConsole((level, message) => {
    const scope = scopeInside.getStore() ?? worker.scope;
    if (scope !== null) writeLine(scope, level, { message });
  });
  process.on("exit", () => {
    worker.scope?.flush();
    noteProcessorTime(worker.memory);
  });
  process.on("uncaughtException", (thrown: unknown) => reportUncaught(worker, thrown));
  process.on("unhandledRejection", (thrown: unknown) => reportUncaught(worker, thrown));
  perform(worker, getReady(worker, port));
}

async function getReady(worker: JobWorker, port: MessagePort): Promise<void> {
  const loader = await openLoader();
  await loader.provideSdk();
  port.on("message", (message: ToJobWorker) => hear(worker, message));
  worker.post({ kind: "ready", threadId: systemThreadId() });
}

/** What a job left floating may fail because of the abort: that is no crash. */
function reportUncaught(worker: JobWorker, thrown: unknown): void {
  if (worker.scope?.isAbort(thrown)) return;
  tellCrash(worker, errorData(thrown, worker.secret));
}

function tellCrash(worker: JobWorker, error: AttemptError): void {
  worker.scope?.flush();
  worker.post({ kind: "crashed", error });
}

function hear(worker: JobWorker, message: ToJobWorker): void {
  switch (message.kind) {
    case "ping":
      worker.post({ kind: "pong", ping: message.ping, memory: memoryNow() });
      break;
    case "load":
      perform(worker, load(worker, message));
      break;
    case "attempt":
      perform(worker, runAttempt(worker, message));
      break;
    case "abort":
      if (isOfCurrent(worker, message.id)) worker.scope?.abort(message.reason);
      break;
    case "checkpoint":
      if (isRunning(worker, message.id)) worker.scope?.write("checkpoint", message.data);
  }
}

function isOfCurrent({ memory }: JobWorker, id: number): boolean {
  return id === Atomics.load(memory.words, SHARED_WORDS.attempt);
}

/** After its end nothing is added to a trace that may have been read already. */
function isRunning(worker: JobWorker, id: number): boolean {
  const phase = Atomics.load(worker.memory.words, SHARED_WORDS.phase);
  return isOfCurrent(worker, id) && phase === PHASES.running;
}

async function load(worker: JobWorker, { file, trace, attemptId = 0 }: LoadMessage): Promise<void> {
  const untraced = createUntraced(file);
  if (worker.live !== null && trace !== "off") {
    const ask = untraced.watch(createAsker(worker.live.link, trace));
    await beLive(worker, worker.live, { file, ask });
  }
  worker.runtime?.belongsTo(attemptId);
  const loaded = await loadJob(file);
  worker.runtime?.belongsTo(0);
  if (loaded.kind === "refused") return worker.post(loaded);
  worker.job = loaded.job;
  worker.secret = secretKeys(loaded.job.redact ?? []);
  const { description } = loaded;
  const memory = memoryNow();
  worker.post({ kind: "loaded", job: description, untraced: untraced.list(), memory });
}

async function beLive(
  worker: JobWorker,
  { memory: given }: LiveBoot,
  { file, ask }: { readonly file: string; readonly ask: AskSource },
): Promise<void> {
  const memory = typeof given === "string" ? mapLiveMemory(given) : liveMemoryOf(given);
  if (memory === null) return;
  worker.runtime = installLiveRuntime(memory.words);
  const loader = await openLoader();
  // Job files lie directly in the real JOBS_DIR.
  loader.rewriteSources(dirname(file), ask);
}

/** Runs the attempt if it is still on offer: its owner may have taken it back and given it to another job worker. */
async function runAttempt(worker: JobWorker, order: AttemptOrder): Promise<void> {
  const { words } = worker.memory;
  const { offered, running, ended } = PHASES;
  if (worker.job === null || Atomics.load(words, SHARED_WORDS.attempt) !== order.id) return;
  if (Atomics.compareExchange(words, SHARED_WORDS.phase, offered, running) !== offered) return;
  const scope = createAttemptScope(worker.memory, worker.secret);
  worker.scope = scope;
  worker.runtime?.reset();
  worker.runtime?.belongsTo(order.attemptId);
  const end = await outcomeOf(worker.job, order, scope);
  scope.end();
  noteRounds(worker);
  worker.runtime?.belongsTo(0);
  Atomics.store(words, SHARED_WORDS.phase, ended);
  worker.post({ kind: "ended", id: order.id, end });
  soon(() => worker.post({ kind: "idle", id: order.id }));
}

/** All that is kept of an attempt that ended well is in the shared memory. */
function noteRounds({ memory: { words }, runtime }: JobWorker): void {
  const rounds = Math.max(runtime?.resumed() ?? 0, Atomics.load(words, SHARED_WORDS.round));
  Atomics.store(words, SHARED_WORDS.round, rounds);
}

async function outcomeOf(job: Job, order: AttemptOrder, scope: AttemptScope): Promise<JobEnd> {
  try {
    scope.write("state", { state: "running" });
    const params = parseJson(order.params);
    const problem = await problemOf(job, order, params);
    if (problem !== null) {
      return { kind: "threw", error: platformError(MISFIT_REASON, problem, true), aborted: false };
    }
    const ctx = createJobContext(scope, order);
    const result: unknown = await scopeInside.run(scope, () => job.run(params, ctx));
    scope.flush();
    const text = resultText(result);
    // What became null in JSON is null here too: nothing at all, NaN.
    const kept = text === "null" ? null : result;
    scope.write("result", { result: shownValue(kept, MAX_SHOWN_RESULT, scope.secret) });
    return { kind: "returned", result: text };
  } catch (thrown) {
    scope.flush();
    return {
      kind: "threw",
      error: errorData(thrown, scope.secret),
      aborted: scope.isAbort(thrown),
    };
  }
}

/** What the consumer could not check on its event loop is checked here, in the attempt's own time. */
async function problemOf(
  job: Job,
  { lateCheck }: AttemptOrder,
  params: unknown,
): Promise<string | null> {
  if (lateCheck === undefined || job.params === undefined) return null;
  const { lateProblem } = (await import(lateCheck.module)) as typeof import("./late-check.ts");
  return lateProblem(job.params, params, lateCheck.field);
}

/** None of it may fail; if our own code does, nobody must wait for it in vain. */
function perform(worker: JobWorker, work: Promise<void>): void {
  onRejection(work, (thrown) => worker.post({ kind: "crashed", error: errorData(thrown) }));
}

function noteProcessorTime({ words }: SharedMemory): void {
  const stat = threadStat(systemThreadId() ?? 0);
  if (stat !== null) Atomics.store(words, SHARED_WORDS.cpuAtExit, 1 + Math.round(stat.cpuMs));
}

/** By this the owner proves the thread's death; null where the system has no /proc. */
function systemThreadId(): number | null {
  try {
    return Number(readlinkSync("/proc/thread-self").split("/").at(-1));
  } catch {
    return null;
  }
}
