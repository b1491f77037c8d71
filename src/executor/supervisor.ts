// Keeps one executor process alive: forks it, buries the dead, replaces what must be killed, hands signals on.
import type { ChildProcess } from "node:child_process";
import { randomBytes } from "node:crypto";
import { hostname } from "node:os";
import { fileURLToPath } from "node:url";
import { type Config, scrubbedEnv } from "../config/config.ts";
import { AppError } from "../core/errors.ts";
import type { Link } from "../core/link.ts";
import type { Logger } from "../core/logger.ts";
import type { CatalogueJob } from "../job/catalogue.ts";
import { forkModule } from "../process/fork-module.ts";
import { linkOfProcess } from "../process/ipc-link.ts";
import { groupLedBy, killGroup, type ProcessGroup, sweepMarked } from "../process/process-sweep.ts";
import type { DeathCause } from "../use-cases/reap.ts";
import { type Failure, isFor, type LoadedJobs } from "./consumer-protocol.ts";
import type { DeadExecutor, FromExecutor, ToExecutor } from "./executor-protocol.ts";

const EXECUTOR = fileURLToPath(new URL("./executor.ts", import.meta.url));
/** What a retiring executor gets, besides EXECUTOR_DRAIN_MS, to write its ends before it is killed. */
const RETIRE_MARGIN_MS = 400;
/** What a draining executor gets, besides its grace, to hand back and flush. */
const DRAIN_MARGIN_MS = 5000;
const FIRST_RESTART_MS = 50;
const LONGEST_RESTART_MS = 5000;
/** A process in an uninterruptible system call may outlast any kill: its executor is declared dead all the same. */
const SWEEP_LIMIT_MS = 10_000;
/** An executor that lived this long starts a new count of failed starts. */
const HEALTHY_AFTER_MS = 10_000;

export interface SupervisorDeps {
  readonly config: Config;
  /** Opens the applications' secrets. */
  readonly key: Uint8Array;
  readonly logger: Logger;
}

export interface Supervisor {
  /** To the executor of the moment; stays the same when it is replaced. */
  readonly link: Link;
  /** Forks; settles when the first executor is ready; rejects (AppError `configuration`) when it cannot be. */
  start(): Promise<LoadedJobs>;
  /** True while an executor is ready to claim. */
  isReady(): boolean;
  /** True once an executor of this start was ready, with its own catalogue published. */
  hasBeenReady(): boolean;
  /** Lets running attempts end within `graceMs`, hands the rest back, ends the executor. */
  drain(graceMs: number): Promise<void>;
  /** Kills at once. */
  kill(): void;
}

/** One executor process and what is known of it. */
interface Child {
  readonly process: ChildProcess;
  /** Null: it could not be started. */
  readonly group: ProcessGroup | null;
  readonly serviceId: string;
  readonly link: Link;
  readonly bornAt: number;
  isReady: boolean;
  /** It imports new or changed job files, or all of them: it may die of that. */
  isImporting: boolean;
  /** It has its settings, and can settle deaths. */
  isGreeted: boolean;
  /** How its death is to be told; `killed` once we decided to. */
  cause: DeathCause;
  /** When it ended or was to end first; epoch ms. */
  endingSince?: number;
  killTimer?: ReturnType<typeof setTimeout>;
  readonly exited: Promise<void>;
  /** Process groups of its jobs; they do not end with its own. */
  readonly groups: Map<number, ProcessGroup>;
}

export function createSupervisor(deps: SupervisorDeps): Supervisor {
  const { config, logger } = deps;
  const started = Promise.withResolvers<LoadedJobs>();
  const hearers = new Set<(message: unknown) => void>();
  const children = new Set<Child>();
  const unsettled = new Map<string, DeadExecutor>();
  let current: Child | null = null;
  let hasBeenReady = false;
  let served: readonly CatalogueJob[] | null = null;
  const restartDelayMs = createRestartDelays();
  let isDraining = false;

  function spawn(): void {
    const child = forkExecutor(noteExit);
    current = child;
    children.add(child);
    child.link.onMessage((message) => {
      if (isFor<FromExecutor>("main", message)) hear(child, message);
      else for (const hearer of hearers) hearer(message);
    });
  }

  function hear(child: Child, message: FromExecutor): void {
    switch (message.kind) {
      case "hello":
        greet(child);
        break;
      case "ready":
        noteReady(child, message.jobs);
        break;
      case "imported":
        noteJobs(child, message.jobs);
        break;
      case "failed":
        noteFailed(child, message.failure);
        break;
      case "retiring":
        retire(child);
        break;
      case "retired":
        killExecutor(child);
        break;
      case "group":
        if (message.isAlive) child.groups.set(message.group.id, message.group);
        else child.groups.delete(message.group.id);
        break;
      case "death-settled":
        unsettled.delete(message.serviceId);
        break;
      case "drained":
        child.process.disconnect();
    }
  }

  function greet(child: Child): void {
    const key = Buffer.from(deps.key).toString("base64");
    const given = { config, key, serviceId: child.serviceId, inherited: served };
    send(child, { to: "executor", kind: "start", ...given });
    child.isGreeted = true;
    for (const dead of unsettled.values()) send(child, { to: "executor", kind: "dead", dead });
  }

  function noteReady(child: Child, jobs: LoadedJobs): void {
    child.isReady = true;
    hasBeenReady = true;
    noteJobs(child, jobs);
    const found = { jobs: jobs.jobs.length, files_to_read: jobs.pending };
    logger.info({ service_id: child.serviceId, ...found }, "executor ready");
    started.resolve(jobs);
  }

  function noteJobs(child: Child, { jobs, pending }: LoadedJobs): void {
    child.isImporting = pending > 0;
    if (child === current) served = jobs;
  }

  function noteFailed(child: Child, { isConfiguration, message: err }: Failure): void {
    logger.error({ service_id: child.serviceId, err }, "the executor could not start");
    if (isConfiguration) started.reject(new AppError("configuration", err));
    killExecutor(child);
  }

  /** The successor starts now; the retiring one is killed when it is empty, or when its time is over. */
  function retire(child: Child): void {
    if (child.cause === "killed") return;
    child.cause = "killed";
    child.endingSince = Date.now();
    child.isReady = false;
    child.killTimer = setTimeout(
      () => killExecutor(child),
      config.executorDrainMs + RETIRE_MARGIN_MS,
    );
    if (child === current && !isDraining) spawn();
  }

  async function noteExit(child: Child): Promise<void> {
    child.endingSince ??= Date.now();
    clearTimeout(child.killTimer);
    killExecutor(child);
    children.delete(child);
    child.isReady = false;
    // It may have died of a changed file: the next one imports before it has anything to lose.
    if (child.isImporting) served = null;
    if (!isDraining) {
      logger.warn({ service_id: child.serviceId, cause: child.cause }, "executor ended");
      if (current === child) setTimeout(() => isDraining || spawn(), restartDelayMs(child));
    }
    await sweepJobs(child, logger);
    settle(child);
  }

  /** Only now does nothing of it run any more: its tasks are taken over, by one that may not yet be ready itself. */
  function settle(child: Child): void {
    const provenAt = Date.now();
    const { serviceId, cause, endingSince: sinceAt = provenAt } = child;
    const dead = { serviceId, cause, provenAt, sinceAt };
    unsettled.set(dead.serviceId, dead);
    if (!isDraining && current?.isGreeted) send(current, { to: "executor", kind: "dead", dead });
  }

  async function drain(graceMs: number): Promise<void> {
    isDraining = true;
    for (const child of children) {
      send(child, { to: "executor", kind: "drain", graceMs });
      child.killTimer = setTimeout(() => killExecutor(child), graceMs + DRAIN_MARGIN_MS);
    }
    await Promise.all([...children].map((child) => child.exited));
  }

  return {
    link: {
      send: (message) => current?.link.send(message),
      onMessage(hear) {
        hearers.add(hear);
        return () => hearers.delete(hear);
      },
    },
    start: () => {
      spawn();
      return started.promise;
    },
    isReady: () => current?.isReady === true,
    hasBeenReady: () => hasBeenReady,
    drain,
    kill: () => {
      isDraining = true;
      for (const child of children) killExecutor(child);
    },
  };
}

/** None after a healthy life; after others it grows. */
function createRestartDelays(): (child: Child) => number {
  let failedStarts = 0;
  return ({ bornAt }) => {
    const isHealthy = performance.now() - bornAt > HEALTHY_AFTER_MS;
    failedStarts = isHealthy ? 0 : failedStarts + 1;
    return isHealthy ? 0 : Math.min(FIRST_RESTART_MS * 2 ** failedStarts, LONGEST_RESTART_MS);
  };
}

function send(child: Child, message: ToExecutor): void {
  child.link.send(message);
}

/** A process of its own group, without our settings in its environment: they reach it over IPC alone. */
function forkExecutor(onExit: (child: Child) => Promise<void>): Child {
  const forked = forkModule(EXECUTOR, { env: scrubbedEnv() });
  const exited = Promise.withResolvers<void>();
  const child: Child = {
    process: forked,
    group: forked.pid === undefined ? null : groupLedBy(forked.pid),
    serviceId: `${hostname()}-${randomBytes(4).toString("hex")}`,
    link: linkOfProcess(forked),
    bornAt: performance.now(),
    isReady: false,
    isImporting: true,
    isGreeted: false,
    cause: "died",
    exited: exited.promise,
    groups: new Map(),
  };
  const end = () => {
    onExit(child).then(exited.resolve, exited.reject);
  };
  forked.once("exit", end);
  forked.once("error", end);
  return child;
}

/** Job processes end by themselves when their executor is gone; this is the proof, and the end of what they started. */
async function sweepJobs({ serviceId, groups }: Child, logger: Logger): Promise<void> {
  const mark = { groups: [...groups.values()], mark: `${serviceId}/`, isWhole: false };
  if (await sweepMarked(mark, SWEEP_LIMIT_MS)) return;
  logger.error({ service_id: serviceId }, "processes of a dead executor's jobs cannot be killed");
}

/** Reaches also what jobs started. A group that is gone already is what was wanted. */
function killExecutor({ group }: Child): void {
  if (group !== null) killGroup(group);
}
