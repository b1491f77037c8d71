// A job worker that is a thread of this process: its start, its messages and the proof of its death.
import { existsSync } from "node:fs";
import { MessageChannel, type MessagePort } from "node:worker_threads";
import type { Trace } from "../../core/job.ts";
import { delay, within } from "../../core/within.ts";
import type { CrashDumps } from "../../live/crash-dump.ts";
import { withOriginalColumns } from "../../live/original-columns.ts";
import { readLive } from "../../live/reader.ts";
import type { LiveSources } from "../../live/sources.ts";
import { MARK_NAME, sweepChildren } from "../../process/process-sweep.ts";
import { errorData, platformError } from "../wire/error-data.ts";
import { holdMemory, LIVE_WORDS, openLiveMemory } from "../wire/live-memory.ts";
import { isBegun, isEnded, isUnoffered, putOnOffer, takeBack } from "../wire/offered.ts";
import type { LoadedSource } from "../wire/prepared-source.ts";
import type { Boot, Death, FromJobWorker, LiveBoot } from "../wire/protocol.ts";
import { cpuAtExit, openSharedMemory } from "../wire/shared-memory.ts";
import { serveSources } from "../wire/source-link.ts";
import { entryToStart } from "./entry.ts";
import type { HostListener, JobHost } from "./job-host.ts";
import { createPings } from "./pings.ts";
import { startThread, type Thread } from "./thread.ts";
import { createVitalSigns } from "./vitals.ts";

const KILL_LIMIT_MS = 2_000;
const PROOF_INTERVAL_MS = 1;

const DEAF: HostListener = { message: () => undefined, death: () => undefined };

/** What job workers may be given. */
export interface JobThreadExtras {
  /** From `openEntry`; it only makes the start faster. */
  readonly entry?: string | null;
  /** Makes the code of jobs note where it is. */
  readonly sources?: LiveSources | null;
  /** Keeps where they are for the case that this process is killed. */
  readonly dumps?: CrashDumps | null;
  /** Hears of each source before it is loaded. */
  readonly onSource?: (source: LoadedSource) => void;
  /** In the environment of what its job starts, so that a kill ends that too; null: its process sees to it. */
  readonly mark?: string | null;
}

/** Starts a thread. `given` is all that its code sees of the environment, besides the mark. */
export function createJobThread(
  given: Readonly<Record<string, string>>,
  extras: JobThreadExtras = {},
): JobHost {
  const { entry = null, sources = null, mark = null } = extras;
  const env = mark === null ? given : { ...given, [MARK_NAME]: mark };
  const memory = openSharedMemory();
  const { port1: port, port2 } = new MessageChannel();
  const thread = startThread(entryToStart(entry), env);
  const live = createLiveEnd(extras);
  const boot: Boot = { port: port2, memory: memory.buffer, env, live: live?.boot ?? null };
  thread.post(boot, live === null ? [port2] : [port2, live.boot.link.port]);

  const pings = createPings();
  const signs = createVitalSigns();
  let listener = DEAF;
  let trace: Trace = "off";
  let threadId: number | null = null;
  let death: Death | null = null;
  let killed: Promise<boolean> | null = null;

  const { promise: ready, resolve: setReady } = Promise.withResolvers<boolean>();
  const exited = hearDeath(thread, (how) => {
    death = how;
    setReady(false);
    setImmediate(() => {
      port.close();
      live?.close();
      if (killed === null) listener.death(how);
    });
  });

  const tableOf = (path: string) => (trace === "off" ? undefined : sources?.tableOf(path, trace));
  port.on("message", (message: FromJobWorker) => {
    if (message.kind === "loaded") signs.loaded(message.memory);
    if (message.kind === "pong") {
      signs.answered(message.memory);
      pings.answered(message.ping);
    } else if (message.kind !== "ready") listener.message(withOriginalColumns(message, tableOf));
    else {
      threadId = message.threadId;
      setReady(true);
    }
  });

  const readStack = () => {
    const isOwn = isBegun(memory) || isUnoffered(memory);
    return trace !== "off" && isOwn ? (live?.read() ?? null) : null;
  };

  /** Until it is dead it can be seen where it was, also when it died by itself. */
  const kill = async () => {
    live?.close();
    live?.stop();
    const isDead = await killWithChildren({ thread, exited, threadId, port }, mark);
    if (isDead) live?.letGo();
    return isDead;
  };

  return {
    method: "thread",
    threadId: () => threadId,
    memory,
    refresh: async () => undefined,
    ready,
    post(message) {
      if (message.kind === "load") trace = message.trace;
      port.postMessage(message);
    },
    async abort(message) {
      const stack = readStack();
      port.postMessage(message);
      return stack;
    },
    offer(order) {
      putOnOffer(memory, order.id);
      port.postMessage(order);
    },
    withdraw: async (id) => takeBack(memory, id),
    hasEnded: async (id) => isEnded(memory, id),
    lease: () => undefined,
    listen(hear) {
      listener = hear;
      if (death !== null) hear.death(death);
    },
    ping: (withinMs) => {
      signs.pinged();
      return pings.ask((ping) => port.postMessage({ kind: "ping", ping }), withinMs);
    },
    readStack,
    loaded: (path) => live?.loaded(path),
    vitals: () => signs.read({ threadId, cpuAtExitMs: cpuAtExit(memory) }),
    kill() {
      listener = DEAF;
      killed ??= kill();
      return killed;
    },
  };
}

/** The memory in which the job's code notes where it is, and the answers it waits for while it is imported. */
function createLiveEnd({ sources = null, dumps = null, onSource }: JobThreadExtras) {
  if (sources === null) return null;
  const left = dumps?.open() ?? null;
  const { link, close, loaded } = serveSources(sources, (source) => {
    left?.note(source);
    onSource?.(source);
  });
  const { given, hold } = left === null ? newMemory() : { given: left.file, hold: left };
  const boot: LiveBoot = { memory: given, link };
  const read = () => {
    const words = hold.words();
    return words === null ? null : readLive(words, sources.findTable);
  };
  const stop = () => {
    const words = hold.words();
    if (words !== null) words[LIVE_WORDS.stop] = 1;
  };
  return { boot, close, loaded, read, stop, letGo: hold.letGo };
}

function newMemory() {
  const { buffer, words } = openLiveMemory();
  return { given: buffer, hold: holdMemory(words) };
}

/** Calls back once, when the thread is gone; settles then too. */
function hearDeath(thread: Thread, tell: (death: Death) => void): Promise<void> {
  return new Promise((resolve) => {
    thread.onExit((code, thrown) => {
      const exit = platformError("exit", `the job's code ended its job worker (exit code ${code})`);
      tell({ error: thrown === undefined ? exit : errorData(thrown) });
      resolve();
    });
  });
}

interface Victim {
  readonly thread: Thread;
  readonly exited: Promise<void>;
  readonly threadId: number | null;
  readonly port: MessagePort;
}

/** What it waits for in `spawnSync` is killed with it, and what it starts until its death after that. */
async function killWithChildren(victim: Victim, mark: string | null): Promise<boolean> {
  if (mark === null) return killThread(victim);
  const killing = killThread(victim);
  await sweepChildren(mark, KILL_LIMIT_MS);
  return (await killing) && sweepChildren(mark, KILL_LIMIT_MS);
}

/**
 * `terminate()` is never awaited without a deadline: it does not settle during a blocking system call. On Deno it
 * settles at once although a busy thread burns on, so where there is /proc its word is not enough.
 */
async function killThread({ thread, exited, threadId, port }: Victim): Promise<boolean> {
  const deadlineMs = performance.now() + KILL_LIMIT_MS;
  const terminated = thread.terminate().catch(() => exited);
  const isGone = await within(
    Promise.race([exited, terminated]).then(() => true),
    KILL_LIMIT_MS,
  );
  port.close();
  if (isGone !== true) return false;
  return threadId === null || hasVanished(threadId, deadlineMs);
}

async function hasVanished(threadId: number, deadlineMs: number): Promise<boolean> {
  while (existsSync(`/proc/self/task/${threadId}`)) {
    if (performance.now() > deadlineMs) return false;
    await delay(PROOF_INTERVAL_MS);
  }
  return true;
}
