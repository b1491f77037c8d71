// A job worker that is a process of its own, in a group of its own: its start, its messages, and the proof of its death.
import { type ChildProcess, fork } from "node:child_process";
import { randomBytes } from "node:crypto";
import { fileURLToPath } from "node:url";
import { within } from "../core/within.ts";
import { platformError } from "./error-data.ts";
import type { Death, HostListener, JobHost } from "./job-host.ts";
import { type MemoryPages, unpackMemory } from "./memory-pages.ts";
import { takeBack } from "./offered.ts";
import type { FromJobProcess, ProcessQuestion, ToJobProcess } from "./process-protocol.ts";
import { MARK_NAME, sweepMarked } from "./process-sweep.ts";
import { clearAttempt, openSharedMemory } from "./shared-memory.ts";
import { createToldVitals } from "./vitals.ts";

const KILL_LIMIT_MS = 2_000;
/** The main thread of a job process answers in about a millisecond; this is for a busy machine. */
const ANSWER_LIMIT_MS = 100;

const DEAF: HostListener = { message: () => undefined, death: () => undefined };

export interface JobProcessOptions {
  /** All that its code sees of the environment. */
  readonly env: Readonly<Record<string, string>>;
  /** From `openEntry`; it only makes the start faster. */
  readonly entry?: string | null;
  /** Begins the mark of each process; by it whoever buries the executor finds them all. Default: random. */
  readonly owner?: string;
  /** Hears of each process group when it begins and when it is proven gone. */
  readonly onGroup?: (group: number, isAlive: boolean) => void;
}

/** Starts a process; it has loaded nothing yet. */
export function createJobProcess(options: JobProcessOptions): JobHost {
  const { env, entry = null, owner = randomBytes(6).toString("hex") } = options;
  const mark = `${owner}/${randomBytes(6).toString("hex")}`;
  const child = forkMain({ ...env, [MARK_NAME]: mark });
  const memory = openSharedMemory();
  const questions = createQuestions((message) => send(child, message));
  const { promise: ready, resolve: setReady } = Promise.withResolvers<boolean>();
  const signs = createToldVitals();
  let listener = DEAF;
  let death: Death | null = null;
  const isDead = () => death !== null;
  let offers = 0;
  let killed: Promise<boolean> | null = null;

  const die = (how: Death) => {
    if (death !== null) return;
    death = how;
    setReady(false);
    questions.close();
    if (killed === null) listener.death(how);
  };
  const exited = hearExit(child, (why) => die({ error: platformError("exit", why) }));
  child.on("message", (message) => {
    const said = message as FromJobProcess;
    if ("vitals" in said && said.vitals) signs.told(said.vitals);
    if (said.kind === "ready") setReady(true);
    if (said.kind === "answer") questions.answered(said.id, said.answer);
    if (said.kind === "said") listener.message(said.message);
    if (said.kind !== "death") return;
    unpackMemory(memory, said.memory);
    die(said);
  });
  if (child.pid !== undefined) options.onGroup?.(child.pid, true);
  send(child, { kind: "boot", env: { ...env, [MARK_NAME]: mark }, entry, mark });

  const kill = async () => {
    const isDead = await killProcess(child, mark, exited);
    // Deno keeps the socket of some killed children open otherwise.
    if (child.connected) child.disconnect();
    if (isDead && child.pid !== undefined) options.onGroup?.(child.pid, false);
    return isDead;
  };

  return {
    method: "process",
    memory,
    ready,
    async refresh() {
      if (death !== null) return;
      const asked = offers;
      const pages = await questions.ask({ kind: "read" }, ANSWER_LIMIT_MS);
      // Neither its last word nor the next attempt is overwritten by what was read before.
      if (typeof pages === "object" && asked === offers && !isDead()) unpackMemory(memory, pages);
    },
    post: (message) => send(child, { kind: "post", message }),
    offer(order) {
      offers += 1;
      // The copy still tells of the attempt before.
      clearAttempt(memory);
      send(child, { kind: "offer", order });
    },
    lease: (leftMs) => send(child, { kind: "lease", leftMs }),
    // Of a dead one the last word tells; without an answer it may have been accepted.
    withdraw: async () =>
      death === null
        ? (await questions.ask({ kind: "withdraw" }, ANSWER_LIMIT_MS)) === true
        : takeBack(memory),
    hasEnded: async () => (await questions.ask({ kind: "has-ended" }, ANSWER_LIMIT_MS)) === true,
    listen(hear) {
      listener = hear;
      if (death !== null) hear.death(death);
    },
    ping: async (withinMs) => (await questions.ask({ kind: "ping", withinMs }, withinMs)) === true,
    // Its thread is not given rewritten sources.
    readStack: () => null,
    vitals: signs.read,
    kill() {
      listener = DEAF;
      killed ??= kill();
      return killed;
    },
  };
}

function forkMain(env: Readonly<Record<string, string>>): ChildProcess {
  return fork(fileURLToPath(new URL("./job-process-main.ts", import.meta.url)), [], {
    detached: true,
    env,
    // Deno hands its own permissions on and reads no .env by itself.
    execArgv: "Deno" in globalThis ? [] : ["--no-install", "--no-env-file"],
    stdio: ["ignore", "inherit", "inherit", "ipc"],
    serialization: "json",
  });
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

/** The group first, then whatever carries the mark elsewhere; dead is what no system call can find any more. */
async function killProcess(
  child: ChildProcess,
  mark: string,
  exited: Promise<void>,
): Promise<boolean> {
  if (child.pid === undefined) return true;
  const isGone = within(
    exited.then(() => true),
    KILL_LIMIT_MS,
  );
  const isSwept = await sweepMarked({ groups: [child.pid], mark, isWhole: true }, KILL_LIMIT_MS);
  return (await isGone) === true && isSwept;
}

type Answer = boolean | MemoryPages;

/** Numbers questions, so that a late answer is not taken for a newer one's. */
function createQuestions(post: (message: ToJobProcess) => void) {
  const open = new Map<number, (answer: Answer | undefined) => void>();
  let last = 0;
  let isMute = false;
  return {
    async ask(question: ProcessQuestion, withinMs: number): Promise<Answer | undefined> {
      last += 1;
      const id = last;
      const { promise, resolve } = Promise.withResolvers<Answer | undefined>();
      open.set(id, resolve);
      post({ kind: "ask", id, question });
      // Who did not answer in time is not waited for again: a deadline must be kept.
      const answer = await within(promise, isMute ? 0 : withinMs);
      open.delete(id);
      if (answer === undefined && question.kind !== "ping") isMute = true;
      return answer;
    },
    answered(id: number, answer: Answer) {
      isMute = false;
      open.get(id)?.(answer);
    },
    /** Nobody will answer any more. */
    close() {
      for (const resolve of open.values()) resolve(undefined);
    },
  };
}
