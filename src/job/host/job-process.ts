// A job worker that is a process of its own, in a group of its own: its start, its messages, and the proof of its death.
import type { ChildProcess } from "node:child_process";
import { within } from "../../core/within.ts";
import { removeDump } from "../../live/crash-dump.ts";
import type { Tracing } from "../../live/tracing.ts";
import { forkModule } from "../../process/fork-module.ts";
import {
  groupLedBy,
  killTree,
  MARK_NAME,
  newMark,
  newOwner,
  type ProcessGroup,
} from "../../process/process-sweep.ts";
import { platformError } from "../wire/error-data.ts";
import type { LiveStack } from "../wire/live-stack.ts";
import { unpackMemory } from "../wire/memory-pages.ts";
import { putOnOffer, takeBack } from "../wire/offered.ts";
import type { LoadedSource } from "../wire/prepared-source.ts";
import type {
  FromJobProcess,
  ProcessAnswer,
  ProcessQuestion,
  Seen,
  ToJobProcess,
} from "../wire/process-protocol.ts";
import type { Death } from "../wire/protocol.ts";
import { clearAttempt, openMemoryCopy } from "../wire/shared-memory.ts";
import { entryToStart, processEntryToStart } from "./entry.ts";
import type { HostListener, JobHost } from "./job-host.ts";
import { createToldVitals } from "./vitals.ts";

const KILL_LIMIT_MS = 2_000;
/** The main thread of a job process answers in about a millisecond; this is for a busy machine. */
const ANSWER_LIMIT_MS = 100;
/** Of the time for a ping, what its thread has of it; the rest is for the way. */
const PING_SHARE = 0.7;

const DEAF: HostListener = { message: () => undefined, death: () => undefined };

export interface JobProcessOptions {
  /** All that its code sees of the environment. */
  readonly env: Readonly<Record<string, string>>;
  /** From `openEntry`; it only makes the start faster. */
  readonly entry?: string | null;
  /** From `openProcessEntry`; the same. */
  readonly processEntry?: string | null;
  /** Of `openTracing`: makes the code of jobs note where it is. */
  readonly tracing?: Pick<Tracing, "folder" | "note"> | undefined;
  /** Keeps where they are for the case that the executor is killed; nothing is kept when left out. */
  readonly dumpsDir?: string;
  /** Begins the mark of each process; by it all of them are found when the executor is declared dead. Default: random. */
  readonly owner?: string;
  /** Hears of each process group when it begins and when it is proven gone. */
  readonly onGroup?: (group: ProcessGroup, isAlive: boolean) => void;
}

/** Starts a process; it has loaded nothing yet. */
export function createJobProcess(options: JobProcessOptions): JobHost {
  const { env, entry = null, processEntry = null, tracing, owner = newOwner() } = options;
  const mark = newMark(owner);
  const child = forkModule(processEntryToStart(processEntry), {
    env: { ...env, [MARK_NAME]: mark },
  });
  const memory = openMemoryCopy();
  const loaded = new Map<string, LoadedSource>();
  const questions = createQuestions((message) => send(child, message));
  const { promise: ready, resolve: setReady } = Promise.withResolvers<boolean>();
  const signs = createToldVitals();
  let listener = DEAF;
  let death: Death | null = null;
  const isDead = () => death !== null;
  let offers = 0;
  let stack: LiveStack | null = null;
  let killed: Promise<boolean> | null = null;

  const die = (how: Death) => {
    if (death !== null) return;
    death = how;
    setReady(false);
    questions.close();
    if (killed === null) listener.death(how);
  };
  const see = (seen: Seen) => {
    if (seen.memory !== undefined) unpackMemory(memory, seen.memory);
    stack = seen.stack;
  };
  const hear = (said: FromJobProcess) => {
    switch (said.kind) {
      case "ready":
        return setReady(true);
      case "answer":
        return questions.answered(said.id, said.answer);
      case "said":
        return listener.message(said.message);
      case "loading":
        return loaded.set(said.source.path, said.source);
      case "note":
        return tracing?.note(said.file, said.note);
      case "death":
        see(said);
        return die({ error: said.error, ...(said.because && { because: said.because }) });
    }
  };
  const exited = hearExit(child, (why) => die({ error: platformError("exit", why) }));
  child.on("message", (message) => {
    const said = message as FromJobProcess;
    if ("vitals" in said && said.vitals) signs.received(said.vitals);
    hear(said);
  });
  const group = child.pid === undefined ? null : groupLedBy(child.pid);
  if (group !== null) options.onGroup?.(group, true);
  const folders = { sourcesDir: tracing?.folder ?? null, dumpsDir: options.dumpsDir ?? null };
  const boot = { env: { ...env, [MARK_NAME]: mark }, entry: entryToStart(entry), mark };
  send(child, { kind: "boot", ...boot, ...folders });

  const kill = async () => {
    const isDead =
      group === null || (await killTree(group, { mark, exited, limitMs: KILL_LIMIT_MS }));
    // Deno keeps the socket of some killed children open otherwise.
    if (child.connected) child.disconnect();
    if (isDead && group !== null) {
      options.onGroup?.(group, false);
      if (options.dumpsDir !== undefined) removeDump(options.dumpsDir, mark);
    }
    return isDead;
  };

  return {
    method: "process",
    threadId: () => null,
    memory,
    ready,
    async refresh() {
      if (death !== null) return;
      const asked = offers;
      const seen = await questions.ask({ kind: "read" }, ANSWER_LIMIT_MS);
      // Neither its last word nor the next attempt is overwritten by what was read before.
      if (typeof seen === "object" && asked === offers && !isDead()) see(seen);
    },
    post: (message) => send(child, { kind: "post", message }),
    async abort(message) {
      const seen = await questions.ask(message, ANSWER_LIMIT_MS);
      return typeof seen === "object" ? seen.stack : null;
    },
    offer(order) {
      offers += 1;
      stack = null;
      // The copy is still that of the attempt before.
      if (death === null) clearAttempt(memory);
      else putOnOffer(memory, order.id);
      send(child, { kind: "offer", order });
    },
    lease: (leftMs) => send(child, { kind: "lease", leftMs }),
    // Of a dead one the last word tells; without an answer it may have been accepted.
    withdraw: async (id) =>
      death === null
        ? (await questions.ask({ kind: "withdraw", id }, ANSWER_LIMIT_MS)) === true
        : takeBack(memory, id),
    hasEnded: async (id) =>
      (await questions.ask({ kind: "has-ended", id }, ANSWER_LIMIT_MS)) === true,
    listen(hear) {
      listener = hear;
      if (death !== null) hear.death(death);
    },
    ping: async (withinMs) => {
      // That it has not answered is to be here in time, with what it uses up meanwhile.
      const question = { kind: "ping", withinMs: withinMs * PING_SHARE } as const;
      return (await questions.ask(question, withinMs)) === true;
    },
    readStack: () => stack,
    loaded: (path) => loaded.get(path),
    vitals: signs.read,
    kill() {
      listener = DEAF;
      killed ??= kill();
      return killed;
    },
  };
}

/** Sending to a process that just ended is no error here: its exit is heard. */
function send(child: ChildProcess, message: ToJobProcess): void {
  if (child.connected) child.send(message, () => undefined);
}

/** Settles when the process is gone or could never be started. */
function hearExit(child: ChildProcess, tell: (why: string) => void): Promise<void> {
  return new Promise((resolve) => {
    const end = (why: string) => {
      tell(why);
      resolve();
    };
    child.once("error", (error) => end(`its process could not be started: ${error.message}`));
    child.once("exit", (code, name) =>
      end(`the job's code ended its process (${name ?? `exit code ${code}`})`),
    );
  });
}

/** Numbers questions, so that a late answer is not taken for a newer one's. */
function createQuestions(post: (message: ToJobProcess) => void) {
  const open = new Map<number, (answer: ProcessAnswer | undefined) => void>();
  let last = 0;
  let isMute = false;
  return {
    async ask(question: ProcessQuestion, withinMs: number): Promise<ProcessAnswer | undefined> {
      last += 1;
      const id = last;
      const { promise, resolve } = Promise.withResolvers<ProcessAnswer | undefined>();
      open.set(id, resolve);
      post({ kind: "ask", id, question });
      // A process that did not answer in time is not waited for again: a deadline must be kept.
      const answer = await within(promise, isMute ? 0 : withinMs);
      open.delete(id);
      if (answer === undefined && question.kind !== "ping") isMute = true;
      return answer;
    },
    answered(id: number, answer: ProcessAnswer) {
      isMute = false;
      open.get(id)?.(answer);
    },
    /** Nobody will answer any more. */
    close() {
      for (const resolve of open.values()) resolve(undefined);
    },
  };
}
