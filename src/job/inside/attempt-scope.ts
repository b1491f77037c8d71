// One attempt inside the job worker: what it leaves in shared memory while it lives, and silence once it has ended.
import { AsyncLocalStorage } from "node:async_hooks";
import type { PlatformCall } from "../../core/attempt.ts";
import { noteCalls } from "../wire/calls-under-way.ts";
import { createEventWriter, type EventWriter } from "../wire/event-ring.ts";
import {
  captureStack,
  clockMs,
  NativeAbortController,
  NativePromise,
  startTimer,
  stopTimer,
  toJson,
} from "../wire/intrinsics.ts";
import type { AbortReason } from "../wire/protocol.ts";
import { isErrorLike, property, textOf } from "../wire/read-thrown.ts";
import { SHARED_WORDS, type SharedMemory, writeText } from "../wire/shared-memory.ts";
import { type ThinnedEvents, thinEvents } from "./thinned-events.ts";

/** Taking a stack costs 5 µs on Bun and 70 µs on Deno: a loop of `ctx` calls is not to pay for each of them. */
const STACKS_PER_MS = 5;

const ABORT_MESSAGES = {
  timeout: "the attempt is about to reach its timeout",
  cancel: "the task was cancelled",
  interrupt: "the executor hands the attempt back",
} as const;

/** What the calls of `ctx` are made of. */
export interface AttemptScope {
  readonly signal: AbortSignal;
  /** Finds the keys whose values are not to be shown. */
  readonly secret: RegExp;
  /** Notes where the job is. False after the end: the call is counted and must do nothing. */
  enter(): boolean;
  readonly write: EventWriter["write"];
  /** For events of which the newest counts. */
  thin(type: "progress" | "watch"): ThinnedEvents;
  /** Writes what was thinned out and is the newest; to be called before the end is told. */
  flush(): void;
  show(cell: "vars" | "progress", value: unknown): void;
  /** Starts a call that the job may wait in, and notes it until it has settled. */
  underWay<T>(call: PlatformCall, start: () => Promise<T>): Promise<T>;
  /** Hands on what was awaited, and counts the return; after the end it never settles. */
  resume<T>(awaited: Promise<T>): Promise<T>;
  /** Waits `ms`, or rejects with the signal's reason. */
  sleep(ms: number): Promise<void>;
  abort(reason: AbortReason): void;
  /** True when it was thrown because the signal fired. */
  isAbort(thrown: unknown): boolean;
  /** Calls `dispose` at the end. Returns how to take that back. */
  atEnd(dispose: () => void): () => void;
  end(): void;
}

/** The attempt whose code runs; timers and promises it left behind still run inside it. */
export const scopeInside: AsyncLocalStorage<AttemptScope> = new AsyncLocalStorage();

/** Opens the scope of the attempt that was just accepted. */
export function createAttemptScope(memory: SharedMemory, secret: RegExp): AttemptScope {
  const events = createEventWriter(memory, {
    now: clockMs,
    stringify: (value) => toJson(value) ?? "",
  });
  const controller = new NativeAbortController();
  const disposals = new Set<() => void>();
  const thinned: ThinnedEvents[] = [];
  const stack = createStackNote(memory);
  const calls = noteCalls(memory, (value) => toJson(value) ?? "");
  let isLive = true;

  /** What it left behind may come to an end while the memory is another attempt's: a fetch that is cut off, a timer. */
  const write: EventWriter["write"] = (type, data) => {
    if (isLive) events.write(type, data);
  };

  const atEnd = (dispose: () => void) => {
    disposals.add(dispose);
    return () => disposals.delete(dispose);
  };

  return {
    signal: controller.signal,
    secret,
    write,
    atEnd,
    thin(type) {
      const made = thinEvents(write, type);
      thinned.push(made);
      return made;
    },
    flush() {
      for (const each of thinned) each.flush();
    },
    enter() {
      if (isLive) stack.note();
      else Atomics.add(memory.words, SHARED_WORDS.dropped, 1);
      return isLive;
    },
    show: (cell, value) => {
      if (isLive) writeText(memory[cell], toJson(value) ?? "");
    },
    async underWay(call, start) {
      const settled = calls.begin({ ...call, stack: stack.ofThisCall() });
      try {
        return await start();
      } finally {
        if (isLive) settled();
      }
    },
    async resume(awaited) {
      try {
        return await whileLive(awaited, () => isLive);
      } finally {
        Atomics.add(memory.words, SHARED_WORDS.round, 1);
      }
    },
    sleep: (ms) => sleep(ms, controller.signal, atEnd),
    abort(reason) {
      if (!isLive) return;
      const message = ABORT_MESSAGES[reason];
      controller.abort(Object.assign(new Error(message), { name: "AbortError" }));
    },
    isAbort: (thrown) => controller.signal.aborted && isCausedBy(thrown, controller.signal.reason),
    end() {
      isLive = false;
      for (const dispose of disposals) dispose();
      disposals.clear();
    },
  };
}

/** Passes a settlement on while the attempt lives; afterwards code that awaits it never goes on. */
async function whileLive<T>(awaited: Promise<T>, isLive: () => boolean): Promise<T> {
  try {
    const value = await awaited;
    if (isLive()) return value;
  } catch (thrown) {
    if (isLive()) throw thrown;
  }
  return never();
}

/** Never settles: a loop of late `ctx` calls must stop, not spin. */
export function never(): Promise<never> {
  return new NativePromise(() => undefined);
}

function sleep(ms: number, signal: AbortSignal, atEnd: AttemptScope["atEnd"]): Promise<void> {
  return new NativePromise((resolve, reject) => {
    const settle = () => {
      stopTimer(timer);
      forget();
      signal.removeEventListener("abort", settle);
      if (signal.aborted) reject(signal.reason as Error);
      else resolve();
    };
    const timer = startTimer(settle, ms);
    const forget = atEnd(() => stopTimer(timer));
    if (signal.aborted) settle();
    else signal.addEventListener("abort", settle);
  });
}

function createStackNote(memory: SharedMemory) {
  let lastMs = 0;
  let inThisMs = 0;
  let stack = "";
  return {
    note() {
      const nowMs = clockMs();
      inThisMs = nowMs === lastMs ? inThisMs + 1 : 1;
      lastMs = nowMs;
      stack = inThisMs <= STACKS_PER_MS ? captureStack() : "";
      if (stack !== "") writeText(memory.stack, stack);
    },
    /** Of the call that was noted last; "" where that was one too many. */
    ofThisCall: () => stack,
  };
}

function isCausedBy(thrown: unknown, reason: unknown): boolean {
  if (thrown === reason) return true;
  if (!isErrorLike(thrown)) return false;
  return property(thrown, "cause") === reason || textOf(thrown, "name") === "AbortError";
}
