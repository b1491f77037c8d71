// A job worker that is a thread of this process: its start, its messages and the proof of its death.
import { existsSync } from "node:fs";
import { MessageChannel, type MessagePort } from "node:worker_threads";
import { delay, within } from "../core/within.ts";
import { entryToStart } from "./entry.ts";
import { errorData, platformError } from "./error-data.ts";
import type { Death, HostListener, JobHost } from "./job-host.ts";
import { openLiveMemory } from "./live/memory.ts";
import { readLive } from "./live/reader.ts";
import { serveSources } from "./live/source-link.ts";
import type { LiveSources } from "./live/sources.ts";
import { isEnded, putOnOffer, takeBack } from "./offered.ts";
import { createPings } from "./pings.ts";
import type { Boot, FromJobWorker, LiveBoot } from "./protocol.ts";
import { openSharedMemory } from "./shared-memory.ts";
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
}

/** Starts a thread. `env` is all that its code sees of the environment. */
export function createJobThread(
  env: Readonly<Record<string, string>>,
  { entry = null, sources = null }: JobThreadExtras = {},
): JobHost {
  const memory = openSharedMemory();
  const { port1: port, port2 } = new MessageChannel();
  const thread = startThread(entryToStart(entry), env);
  const live = createLiveEnd(sources);
  const boot: Boot = { port: port2, memory: memory.buffer, env, live: live?.boot ?? null };
  thread.post(boot, live === null ? [port2] : [port2, live.boot.link.port]);

  const pings = createPings();
  const signs = createVitalSigns();
  let listener = DEAF;
  let isTraced = false;
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

  port.on("message", (message: FromJobWorker) => {
    if (message.kind === "pong") {
      signs.answered(message.memory);
      pings.answered(message.ping);
    } else if (message.kind !== "ready") listener.message(message);
    else {
      threadId = message.threadId;
      setReady(true);
    }
  });

  return {
    method: "thread",
    memory,
    refresh: async () => undefined,
    ready,
    post(message) {
      if (message.kind === "load") isTraced = message.trace !== "off";
      port.postMessage(message);
    },
    offer(order) {
      putOnOffer(memory, order.id);
      port.postMessage(order);
    },
    withdraw: async () => takeBack(memory),
    hasEnded: async () => isEnded(memory),
    lease: () => undefined,
    listen(hear) {
      listener = hear;
      if (death !== null) hear.death(death);
    },
    ping: (withinMs) => {
      signs.pinged();
      return pings.ask((ping) => port.postMessage({ kind: "ping", ping }), withinMs);
    },
    readStack: () => (isTraced ? (live?.read() ?? null) : null),
    vitals: () => signs.read(threadId),
    kill() {
      listener = DEAF;
      live?.close();
      killed ??= killThread({ thread, exited, threadId, port });
      return killed;
    },
  };
}

/** The memory in which the job's code notes where it is, and the answers it waits for while it is imported. */
function createLiveEnd(sources: LiveSources | null) {
  if (sources === null) return null;
  const { buffer, words } = openLiveMemory();
  const { link, close } = serveSources(sources);
  const boot: LiveBoot = { memory: buffer, link };
  return { boot, close, read: () => readLive(words, sources.findTable) };
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
