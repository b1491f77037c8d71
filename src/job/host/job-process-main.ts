// Entry of a job process: its job runs on a thread inside; this main thread answers, watches, and kills its own group.
import type { Vitals } from "../../core/attempt.ts";
import { within } from "../../core/within.ts";
import { openCrashDumps } from "../../live/crash-dump.ts";
import { createLiveSources, type LiveSources } from "../../live/sources.ts";
import { withNotes } from "../../live/tracing.ts";
import { onOrphaned } from "../../process/orphaned.ts";
import { findMarked, hasChildren, signal } from "../../process/process-sweep.ts";
import { platformError } from "../wire/error-data.ts";
import { packMemory } from "../wire/memory-pages.ts";
import type { LoadedSource } from "../wire/prepared-source.ts";
import type {
  FromJobProcess,
  ProcessAnswer,
  ProcessQuestion,
  Seen,
  ToJobProcess,
} from "../wire/process-protocol.ts";
import type { AttemptOrder, Death, FromJobWorker, LoadMessage } from "../wire/protocol.ts";
import type { JobHost } from "./job-host.ts";
import { createJobThread } from "./job-thread.ts";

const WATCH_MS = 100;
/** Its owner kills it at the deadline; this is for an owner that cannot. */
const DEADLINE_MARGIN_MS = 150;
/** It dies this long before somebody else may claim its task. */
const LEASE_MARGIN_MS = 1_000;
/** A last word has this long to leave. */
const LAST_WORD_MS = 50;
const BYTES_PER_MB = 1_048_576;
const TIMEOUT = platformError("timeout", "it was still running at its timeout");
const LEFT_PROCESSES = {
  kind: "crashed",
  error: platformError("left_processes", "the job left processes of its own behind"),
} as const;
const LEASE_LOST = platformError("lease_lost", "its lease could not be renewed in time");

const LAST_OF_ITS_WORK: ReadonlySet<FromJobWorker["kind"]> = new Set([
  "loaded",
  "refused",
  "ended",
]);

/** What the running attempt or import may not exceed; on the monotonic clock. */
interface Limits {
  readonly deadlineMs: number;
  readonly memoryMb: number | null;
}

let host: JobHost | null = null;
let mark: string | null = null;
let limits: Limits | null = null;
let leaseUntilMs = Number.POSITIVE_INFINITY;
let isDying = false;

// Without its owner nobody would kill it, and its task may soon be claimed by somebody else.
onOrphaned(killAll);
process.on("message", (message) => hear(message as ToJobProcess));
setInterval(watch, WATCH_MS);

function hear(message: ToJobProcess): void {
  switch (message.kind) {
    case "boot":
      boot(message);
      break;
    case "post":
      if (message.message.kind === "load") guardImport(message.message);
      host?.post(message.message);
      break;
    case "offer":
      offer(message.order);
      break;
    case "lease":
      leaseUntilMs = performance.now() + message.leftMs - LEASE_MARGIN_MS;
      break;
    case "ask":
      answer(message.id, message.question).catch(killAll);
  }
}

function boot({ env, entry, ...boot }: Extract<ToJobProcess, { kind: "boot" }>): void {
  mark = boot.mark;
  const sources = boot.sourcesDir === null ? null : openSources(boot.sourcesDir);
  const dumps = boot.dumpsDir === null ? null : openCrashDumps(boot.dumpsDir, mark);
  const onSource = (source: LoadedSource) => say({ kind: "loading", source });
  const thread = createJobThread(env, { entry, sources, dumps, onSource });
  thread.listen({
    message: forward,
    death: ({ error }) => say({ kind: "death", error, ...look(thread), vitals: vitals() }),
  });
  host = thread;
  const tellReady = () => say({ kind: "ready", vitals: vitals() });
  thread.ready.then((isReady) => isReady && tellReady(), killAll);
}

function openSources(folder: string): LiveSources {
  return withNotes(createLiveSources(folder), (file, note) => say({ kind: "note", file, note }));
}

function offer(order: AttemptOrder): void {
  const deadlineMs = performance.now() + order.deadline - Date.now();
  limits = { deadlineMs, memoryMb: order.memoryMb };
  // What is empty need not be carried when somebody reads.
  host?.memory.ring.fill(0);
  host?.memory.debugRing.fill(0);
  host?.offer(order);
}

/** Importing runs code too; how long it may take is its owner's to say. */
function guardImport({ memoryMb = null }: LoadMessage): void {
  limits = { deadlineMs: Number.POSITIVE_INFINITY, memoryMb };
}

function forward(message: FromJobWorker): void {
  if (LAST_OF_ITS_WORK.has(message.kind)) {
    limits = null;
    leaseUntilMs = Number.POSITIVE_INFINITY;
  }
  // What a job started and left behind must not outlive it into the next attempt.
  const leftProcesses = message.kind === "idle" && hasChildren();
  say({ kind: "said", message: leftProcesses ? LEFT_PROCESSES : message, vitals: vitals() });
}

async function answer(id: number, question: ProcessQuestion): Promise<void> {
  if (host === null) return;
  say({ kind: "answer", id, answer: await answerOf(host, question), vitals: vitals() });
}

function vitals(): Vitals | null {
  return host?.vitals() ?? null;
}

async function answerOf(thread: JobHost, question: ProcessQuestion): Promise<ProcessAnswer> {
  switch (question.kind) {
    case "ping":
      return thread.ping(question.withinMs);
    case "withdraw":
      return withdraw(thread, question.id);
    case "has-ended":
      return thread.hasEnded(question.id);
    case "abort":
      return { stack: await thread.abort(question) };
    case "read":
      return look(thread);
  }
}

/** What it said is never newer than where it is. */
function look(thread: JobHost): Required<Seen> {
  const memory = packMemory(thread.memory);
  return { memory, stack: thread.readStack() };
}

async function withdraw(thread: JobHost, id: number): Promise<boolean> {
  const isTaken = await thread.withdraw(id);
  if (isTaken) limits = null;
  return isTaken;
}

function watch(): void {
  const nowMs = performance.now();
  if (limits === null) return;
  const { deadlineMs, memoryMb } = limits;
  if (nowMs > leaseUntilMs) die({ error: LEASE_LOST, because: "lease" });
  else if (nowMs > deadlineMs + DEADLINE_MARGIN_MS) die({ error: TIMEOUT, because: "deadline" });
  else if (memoryMb !== null) watchMemory(memoryMb);
}

function watchMemory(memoryMb: number): void {
  const usedMb = Math.round(process.memoryUsage.rss() / BYTES_PER_MB);
  if (usedMb <= memoryMb) return;
  const why = `its process used ${usedMb} MB of memory, memoryMb allows ${memoryMb}`;
  die({ error: platformError("out_of_memory", why) });
}

function die(how: Death): void {
  if (isDying || host === null) return;
  isDying = true;
  const { promise: sent, resolve } = Promise.withResolvers<void>();
  say({ kind: "death", ...how, ...look(host), vitals: vitals() }, resolve);
  within(sent, LAST_WORD_MS).then(killAll, killAll);
}

function killAll(): void {
  const left = mark === null ? [] : findMarked({ groups: [], mark, isWhole: true }, [process.pid]);
  for (const pid of left) signal(pid, "SIGKILL");
  signal(-process.pid, "SIGKILL");
  // Where it leads no group of its own.
  signal(process.pid, "SIGKILL");
}

function say(message: FromJobProcess, after: () => void = () => undefined): void {
  if (process.connected) process.send?.(message, after);
}
