// Reads where an attempt is out of shared memory, while its code runs, spins or waits.
import type { AttemptTrace, LiveView, Progress, Vitals } from "../../core/attempt.ts";
import { withGaps } from "../../core/trace-events.ts";
import type { Frame } from "../../core/views/stack.ts";
import { ownFrames } from "../../live/frames.ts";
import type { JobHost } from "../host/job-host.ts";
import type { CallUnderWay } from "../wire/calls-under-way.ts";
import { lastSeqOf, readEvents } from "../wire/event-ring.ts";
import type { LiveStack } from "../wire/live-stack.ts";
import { isBegun } from "../wire/offered.ts";
import { readText, SHARED_WORDS, type SharedMemory } from "../wire/shared-memory.ts";

/** An answer is expected in well under a millisecond; a suspended job on a busy machine gets this long. */
const PING_LIMIT_MS = 50;
/** Code on the stack says already that it runs; the answer would only refresh what is known of its memory. */
const BUSY_PING_LIMIT_MS = 10;
/** A job worker that neither answers nor uses processor time is asked so often: the machine is too busy for either. */
const MOST_PINGS = 3;
/** The system counts processor time in steps of this. */
const CPU_STEP_MS = 10;

/** Where one attempt's traces are, and how to tell its own files. */
export interface LiveSource {
  readonly memory: SharedMemory;
  /** Real path of JOBS_DIR. */
  readonly jobsDir: string;
  /** On the clock of `performance.now()`. */
  readonly startedMs: number;
  /** Processor time of the thread before the attempt began; null where it cannot be known. */
  readonly cpuBeforeMs: number | null;
}

/** Where the attempt is now. */
export async function inspect(host: JobHost, source: LiveSource): Promise<LiveView> {
  const isFree = await isIdle(host);
  // Before the stack: a reader who is told so many rounds is not shown a place from before them.
  const rounds = Atomics.load(source.memory.words, SHARED_WORDS.round);
  const stack = host.readStack();
  const busyOrNot = isFree && stack?.state !== "running" ? "waiting" : "running";
  const state = isStarting(host, stack) ? "starting" : busyOrNot;
  const round = Math.max(rounds, stack?.resumed ?? 0);
  const view = { ...readView(source, state, stack), round };
  return { ...view, vitals: ownVitals(host, source.cpuBeforeMs) };
}

/** True when no line of the attempt, nor of the import that it waits for, is known to have run. */
export function isStarting({ memory }: JobHost, stack: LiveStack | null): boolean {
  return !isBegun(memory) && (stack === null || stack.frames.length === 0);
}

/**
 * True when the job worker's event loop answers: nothing is on the processor then. No answer means that something is, a
 * package's code for instance. Only where the live stack is known and has no code of the job, and the processor time is
 * known too, it may also mean that the machine has left it no time: a worker that used none is asked again, and is idle in the end.
 */
async function isIdle(host: JobHost): Promise<boolean> {
  const { cpuMs } = host.vitals();
  for (let pings = 1; pings <= MOST_PINGS; pings++) {
    const isBusy = host.readStack()?.state === "running";
    if (await host.ping(isBusy ? BUSY_PING_LIMIT_MS : PING_LIMIT_MS)) return true;
    if (isBusy || cpuMs === null || host.readStack() === null) return false;
    if ((host.vitals().cpuMs ?? 0) - cpuMs >= CPU_STEP_MS) return false;
    await host.refresh();
  }
  return true;
}

/** What the attempt uses up: of the processor, what its thread did since it began. */
export function ownVitals(host: JobHost, cpuBeforeMs: number | null): Vitals {
  const { cpuMs, ...vitals } = host.vitals();
  const ownCpuMs = cpuMs === null || cpuBeforeMs === null ? null : cpuMs - cpuBeforeMs;
  return { ...vitals, cpuMs: ownCpuMs };
}

/**
 * The frames are those of the live stack. Without one they are those of the last `ctx` call, so a job that went on
 * since is further on. `round` counts the awaits that came back: with a live stack those of
 * the job's own code, else those of `ctx.sleep`, `ctx.fetch` and `ctx.step`.
 */
export function readView(
  source: LiveSource,
  state: LiveView["state"],
  stack: LiveStack | null,
): LiveView {
  const { memory, jobsDir, startedMs } = source;
  const live = stack === null || stack.frames.length === 0 ? null : placesOf(stack);
  const places = live ?? { frames: ownFrames(readText(memory.stack) ?? "", jobsDir) };
  const call = state === "waiting" ? callOf(places.frames[0], source) : undefined;
  return {
    state,
    ...places,
    ...(call !== undefined && { call }),
    vars: readJson<Record<string, unknown>>(readText(memory.vars)),
    round: Math.max(Atomics.load(memory.words, SHARED_WORDS.round), stack?.resumed ?? 0),
    elapsedMs: Math.round(performance.now() - startedMs),
    progress: readJson<Progress>(readText(memory.progress)),
  };
}

/** The newest call under way that was made where this frame waits, by itself or by a function that it called. */
function callOf(frame: Frame | undefined, { memory, jobsDir }: LiveSource): LiveView["call"] {
  if (frame === undefined) return undefined;
  const calls = readJson<CallUnderWay[]>(readText(memory.calls)) ?? [];
  const madeHere = ({ stack }: CallUnderWay) =>
    ownFrames(stack, jobsDir).some(({ file, line }) => file === frame.file && line === frame.line);
  const call = calls.findLast(madeHere);
  return call && { function: call.function, args: call.args };
}

type Places = Pick<LiveView, "frames" | "omitted" | "waiting" | "moving">;

function placesOf({ frames, omitted, waiting, moving }: LiveStack): Places {
  return {
    frames,
    ...(omitted > 0 ? { omitted } : {}),
    ...(waiting.length > 1 ? { waiting } : {}),
    ...(moving ? { moving } : {}),
  };
}

/** The view of an attempt that no job worker has accepted yet. */
export function emptyView(startedMs: number): LiveView {
  const elapsedMs = Math.round(performance.now() - startedMs);
  return { state: "starting", frames: [], vars: null, round: 0, elapsedMs, progress: null };
}

/** What is kept of an attempt: the view, its last events, and its end as the last of them. */
export function readTrace(source: LiveSource, view: LiveView, outcome: string): AttemptTrace {
  const events = readEvents(source.memory);
  const seq = Math.max(events.at(-1)?.seq ?? 0, lastSeqOf(source.memory) >>> 0) + 1;
  const end = { seq, at: Date.now(), type: "state", data: { state: outcome } } as const;
  return { view, events: withGaps([...events, end]) };
}

/** Null also for what a job's own `toJSON` may have left there. */
function readJson<T extends object>(text: string | null): T | null {
  if (text === null || text === "") return null;
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" ? (value as T | null) : null;
  } catch {
    return null;
  }
}
