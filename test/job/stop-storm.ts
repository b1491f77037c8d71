// Stops attempts at every phase beside innocent ones on threads, with former holders that write late into live memory.
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { RunningAttempt } from "../../src/core/attempt.ts";
import { delay, within } from "../../src/core/within.ts";
import { runJob } from "../../src/job/attempt/run-job.ts";
import type { JobHost } from "../../src/job/host/job-host.ts";
import { createJobThread } from "../../src/job/host/job-thread.ts";
import { createPool, type PooledJob } from "../../src/job/host/pool.ts";
import { LIVE_WORDS } from "../../src/job/wire/live-memory.ts";
import { isBegun } from "../../src/job/wire/offered.ts";
import { type CrashDumps, openCrashDumps, type WorkerDump } from "../../src/live/crash-dump.ts";
import { openTracing } from "../../src/live/tracing.ts";
import { claimed, silent } from "../support/claimed-task.ts";

/** `deadline`: during the import too, by a timeout that is shorter than that. */
export const PHASES = ["spawn", "import", "deadline", "offer", "begun", "ended"] as const;
type Phase = (typeof PHASES)[number];

export interface Storm {
  readonly stops: number;
  readonly innocents: number;
  /** False plants the fault: live memory is reached also after it was given back. */
  readonly isChecked: boolean;
  /** How long an innocent may take before it counts as standing still. */
  readonly patienceMs: number;
}

export interface StormResult {
  /** Attempts that were stopped, by phase. */
  readonly stopped: Readonly<Record<Phase, number>>;
  readonly notProven: number;
  readonly innocents: number;
  /** How innocent attempts ended that did not succeed. */
  readonly disturbed: readonly string[];
}

const AT_ONCE = 4;
const LOOK_EVERY_MS = 5;
const DEADLINE_MS = 60_000;
const SHORTER_THAN_THE_IMPORT_MS = 40;
const jobsDir = fileURLToPath(new URL("./stops", import.meta.url));

/** What can be waited for in the life of one job worker. */
interface Signs {
  readonly importing: PromiseWithResolvers<void>;
  readonly offered: PromiseWithResolvers<void>;
  readonly ended: PromiseWithResolvers<void>;
  host: JobHost | null;
}

/** Runs one storm. */
export async function storm({
  stops,
  innocents,
  isChecked,
  patienceMs,
}: Storm): Promise<StormResult> {
  const world = openWorld(isChecked);
  const stopped = { spawn: 0, import: 0, deadline: 0, offer: 0, begun: 0, ended: 0 };
  const disturbed: string[] = [];
  let notProven = 0;
  const left = Array.from({ length: stops }, (_, at) => PHASES[at % PHASES.length] ?? "spawn");
  let ran = 0;

  const stopOne = async (phase: Phase) => {
    const { came, isDead } = await world.stopAt(phase, patienceMs);
    if (came === "handed back") {
      left.push(phase);
      return;
    }
    if (came !== "to its phase") disturbed.push(`never came to ${phase}`);
    if (!isDead) notProven += 1;
    stopped[phase] += 1;
  };
  const stopSome = async () => {
    for (let phase = left.pop(); phase !== undefined; phase = left.pop()) {
      await stopOne(phase);
      if (disturbed.length > 0) left.length = 0;
    }
  };
  const mindOwnBusiness = async () => {
    do {
      const ended = await within(world.innocent().ended, patienceMs);
      ran += 1;
      // So it ends where the machine is too busy to start a job worker: that is nobody's stop.
      if (ended?.outcome === "interrupted") continue;
      if (ended?.outcome !== "succeeded") disturbed.push(ended?.outcome ?? "stands still");
    } while (left.length > 0 && disturbed.length === 0);
  };
  try {
    const beside = Array.from({ length: innocents }, mindOwnBusiness);
    await Promise.all([...Array.from({ length: AT_ONCE }, stopSome), ...beside]);
  } finally {
    await world.close();
  }
  return { stopped, notProven, innocents: ran, disturbed };
}

function openWorld(isChecked: boolean) {
  const tracing = openTracing(undefined, silent);
  const dumps = withLateWriters(openCrashDumps(mkdtempSync(join(tmpdir(), "storm-"))), isChecked);
  let newest: Signs | null = null;
  const spawn = () => {
    const signs = newSigns();
    newest = signs;
    signs.host = observed(
      createJobThread(
        {},
        { sources: tracing.sources, dumps, onSource: () => signs.importing.resolve() },
      ),
      signs,
    );
    return signs.host;
  };
  // Nothing stands ready: every attempt starts a job worker, and its memory is used by the next one.
  const limits = { idle: 1, spares: 0, isPrewarmed: false };
  const jobs = [jobOf("innocent"), jobOf("victim")];
  const pool = createPool({ jobs, slots: 1, spawn, logger: silent, limits });
  let lastId = 0;
  const running = new Set<RunningAttempt>();
  const begin = (name: string, params: unknown, timeoutMs = DEADLINE_MS): RunningAttempt => {
    lastId += 1;
    const task = claimed(name, params, timeoutMs);
    const options = { task, job: jobOf(name), params: JSON.stringify(params), id: lastId };
    const attempt = runJob({ pool, jobsDir, logger: silent }, { ...options, timeoutMs });
    running.add(attempt);
    return attempt;
  };

  return {
    innocent: () => begin("innocent", {}),
    async stopAt(phase: Phase, withinMs: number) {
      const timeoutMs = phase === "deadline" ? SHORTER_THAN_THE_IMPORT_MS : DEADLINE_MS;
      const attempt = begin("victim", { ends: phase === "ended" }, timeoutMs);
      if (newest === null) throw new Error("no job worker was started");
      const early = attempt.ended.then(({ outcome }) =>
        outcome === "interrupted" ? "handed back" : never(),
      );
      const came = await within(Promise.race([reached(phase, newest), early]), withinMs);
      if (phase !== "deadline") attempt.stop("cancel");
      return { came, isDead: (await attempt.gone).killed };
    },
    async close() {
      for (const attempt of running) attempt.stop("interrupt");
      await Promise.all([...running].map(({ gone }) => gone));
      await pool.close();
      tracing.close();
    },
  };
}

function jobOf(name: string): PooledJob {
  return { name, file: join(jobsDir, `${name}.ts`), isolation: "fresh", trace: "lean" };
}

function newSigns(): Signs {
  const [importing, offered, ended] = [1, 2, 3].map(() => Promise.withResolvers<void>());
  if (!importing || !offered || !ended) throw new Error("three were made");
  return { importing, offered, ended, host: null };
}

function observed(host: JobHost, signs: Signs): JobHost {
  return {
    ...host,
    offer(order) {
      host.offer(order);
      signs.offered.resolve();
    },
    listen: (hearer) =>
      host.listen({
        death: hearer.death,
        message(message) {
          if (message.kind === "ended") signs.ended.resolve();
          hearer.message(message);
        },
      }),
  };
}

async function reached(
  phase: Phase,
  { host, importing, offered, ended }: Signs,
): Promise<"to its phase"> {
  if (phase === "import") await importing.promise;
  if (phase === "offer") await offered.promise;
  if (phase === "ended") await ended.promise;
  if (phase === "begun") await offered.promise;
  while (phase === "begun" && host !== null && !isBegun(host.memory)) await delay(LOOK_EVERY_MS);
  return "to its phase";
}

function never(): Promise<never> {
  return new Promise(() => undefined);
}

/** A job worker that gave its memory back writes its stop word again, each time when that memory has just been handed on. */
function withLateWriters({ open }: CrashDumps, isChecked: boolean): CrashDumps {
  const former = new Set<WorkerDump>();
  return {
    open() {
      const opened = open();
      if (opened === null) return null;
      const hold = isChecked ? opened : unchecked(opened);
      for (const late of former) writeStop(late);
      return {
        ...hold,
        letGo() {
          former.add(hold);
          return hold.letGo();
        },
      };
    },
  };
}

function unchecked(hold: WorkerDump): WorkerDump {
  const words = hold.words();
  return { ...hold, words: () => words };
}

function writeStop(hold: WorkerDump): void {
  const words = hold.words();
  if (words !== null) words[LIVE_WORDS.stop] = 1;
}
