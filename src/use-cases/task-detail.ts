// The use case of looking at a task: what the store knows, and where it is right now when it runs.
import type { Bus } from "../bus/bus.ts";
import type { AttemptError, LiveView, Outcome, WaitingPoint } from "../core/attempt.ts";
import { parseExact } from "../core/exact-json.ts";
import { SILENT_MS } from "../core/job-holders.ts";
import { askStore } from "../core/store-answer.ts";
import { type ShownStatus, shownStatus } from "../core/task.ts";
import { type TaskFacts, taskFacts } from "../core/task-facts.ts";
import { type WaitingReason, waitingReason } from "../core/waiting-reason.ts";
import type { Attempt } from "../store/attempt-store.ts";
import type { Store, TaskDetail, TaskReference } from "../store/store.ts";

export interface DetailDeps {
  readonly store: Pick<Store, "tasks" | "attempts" | "catalogue" | "executors">;
  readonly timezone: string;
  /** How long an executor may be silent and still count as living. */
  readonly silentMs?: number;
  readonly bus: Pick<Bus, "ask">;
}

export type DetailQuestion = TaskReference & {
  /** When given, the newest attempt must match, otherwise the task is unknown. */
  readonly coroutineId?: number;
  readonly serviceId?: string;
};

export interface ErrorView {
  readonly name: string;
  readonly message: string;
  readonly stack: string | null;
  /** A stable word for programs, where there is one: `address_refused`, `poison`, … */
  readonly reason?: string;
  /** What it carried besides. */
  readonly fields?: AttemptError["fields"];
  /** Of an aggregate. */
  readonly errors?: AttemptError["errors"];
  /** Equal for failures of one kind. */
  readonly fingerprint?: string;
}

export interface AttemptView {
  readonly attempt: number;
  /** Null while it runs. */
  readonly outcome: Outcome | null;
  readonly charged: boolean;
  /** Epoch ms. */
  readonly started_at: number;
  readonly finished_at: number | null;
  readonly service_id: string;
  readonly error: ErrorView | null;
}

/** The data of `/task/detail`, field by field. */
export interface TaskDetailView extends TaskFacts {
  /** While it runs `starting`, `waiting` (suspended in an await) or `running`, else equal to `status`. */
  readonly state: "starting" | "waiting" | ShownStatus;
  /** JSON text of frames, innermost first. */
  readonly trace_list: string;
  /** How many frames of a deep stack are left out after the innermost 250. */
  readonly frames_omitted: number;
  readonly executed_file_name: string | null;
  readonly executed_function_name: string | null;
  readonly executed_function_line: number | null;
  /** Where its async calls wait, most first; empty unless there are several places. */
  readonly waiting_points: readonly WaitingPoint[];
  /** `[]` when there are none. */
  readonly vars: Readonly<Record<string, unknown>> | readonly never[];
  readonly round: number;
  /** Ms. */
  readonly elapsed: number;
  readonly id: number;
  readonly taskNo: string;
  readonly name: string;
  readonly status: ShownStatus;
  /** Attempts of this life, charged or not. */
  readonly attempt: number;
  /** The budget of charged attempts of a life. */
  readonly maxAttempts: number;
  readonly coroutine_id: number | null;
  readonly service_id: string | null;
  readonly progress: { readonly percent: number; readonly text: string | null } | null;
  /** How old the place is at most, ms; null when there is none. */
  readonly freshness_ms: number | null;
  /** `live`: asked just now. `checkpoint`: of a running task that cannot be asked. `last-known`: where it ended. */
  readonly source: Source;
  /** True when it went on while it was looked at: only the frames common to two looks are shown. */
  readonly moving: boolean;
  /** Processor time of the attempt; this and the following are null where the runtime cannot tell. */
  readonly cpu_ms: number | null;
  readonly heap_bytes: number | null;
  readonly rss_bytes: number | null;
  /** How old the figures of memory are. */
  readonly memory_age_ms: number | null;
  readonly event_loop_lag_ms: number | null;
  /** What the job returned. */
  readonly result: unknown;
  /** Of a pending task. */
  readonly waiting_because: WaitingReason | null;
  readonly error: ErrorView | null;
  /** The newest attempts of all lives, oldest first: a new life keeps what led to it. */
  readonly attempts: readonly AttemptView[];
}

type Source = "live" | "checkpoint" | "last-known";

/** What is known of a task at one moment. */
interface Sight {
  readonly detail: TaskDetail;
  /** The newest attempt of this life. */
  readonly current: Attempt | null;
  /** Where it is, or where it was at its end. */
  readonly view: LiveView | null;
  readonly source: Source;
  readonly freshnessMs: number | null;
}

const ASK_MS = 300;
const MOST_ATTEMPTS = 100;

/**
 * Looks at a task from any api process; undefined when the application has no such task. A running one is asked for its
 * place over the bus; without an answer the rest is told all the same. Throws AppError `unavailable`.
 */
export async function taskDetail(
  deps: DetailDeps,
  question: DetailQuestion,
): Promise<TaskDetailView | undefined> {
  const detail = await askStore(() => deps.store.tasks.find(question));
  if (detail === undefined || !matches(detail.latest, question)) return undefined;
  const sight = await look(deps, detail);
  const attempts = await askStore(() => deps.store.attempts.list(detail.task.id, MOST_ATTEMPTS));
  return { ...viewOf(sight, attempts), ...(await askedFor(deps, sight.detail)) };
}

/** What it was asked for, and why it waits. */
async function askedFor({ store, timezone, silentMs = SILENT_MS }: DetailDeps, detail: TaskDetail) {
  const { task, nowMs } = detail;
  const { job, status } = task;
  const definition = job === null ? undefined : await askStore(() => store.catalogue.find(job));
  const facts = taskFacts(task, { nowMs, timezone, redact: definition?.redact ?? [] });
  if (status !== "pending") return { ...facts, waiting_because: null };
  const holders = await askStore(() => store.executors.holders(job, silentMs));
  return { ...facts, waiting_because: waitingReason(task, { nowMs, timezone, holders }) };
}

function matches(latest: Attempt | null, question: DetailQuestion): boolean {
  const { coroutineId = latest?.coroutineId, serviceId = latest?.serviceId } = question;
  return coroutineId === latest?.coroutineId && serviceId === latest?.serviceId;
}

async function look(deps: DetailDeps, detail: TaskDetail): Promise<Sight> {
  if (detail.task.status !== "running" || detail.latest === null) return lookBack(deps, detail);
  const { task, latest } = detail;
  const asked = { kind: "inspect", taskId: task.id, fence: task.fence } as const;
  const askedAt = performance.now();
  const answer = await deps.bus.ask(latest.serviceId, asked, ASK_MS).catch(() => undefined);
  if (answer?.kind === "view") {
    const freshnessMs = Math.round(performance.now() - askedAt);
    return { detail, current: latest, view: answer.view, source: "live", freshnessMs };
  }
  // It may just have ended.
  const reference = { applicationId: task.applicationId, id: task.id };
  const again = await askStore(() => deps.store.tasks.find(reference));
  return lookBack(deps, again ?? detail);
}

/** Without an executor to ask: what the newest attempt of this life left behind. */
async function lookBack(deps: DetailDeps, detail: TaskDetail): Promise<Sight> {
  const { task, latest, nowMs } = detail;
  const nowhere = { view: null, source: "last-known", freshnessMs: null } as const;
  if (latest === null || latest.life !== task.life) return { ...nowhere, detail, current: null };
  if (latest.outcome === null) return lookUp(deps, detail, latest);
  const trace = await askStore(() => deps.store.attempts.trace(latest.id));
  const view = trace?.view ?? null;
  const freshnessMs = Math.max(0, nowMs - (latest.finishedAt ?? nowMs));
  return { ...nowhere, detail, current: latest, view, freshnessMs };
}

/** It runs, but nobody tells where: its last checkpoint, or, before the first one, its start. */
async function lookUp(deps: DetailDeps, detail: TaskDetail, current: Attempt): Promise<Sight> {
  const kept = await askStore(() => deps.store.attempts.lastCheckpoint(current.id));
  const freshnessMs = Math.max(0, detail.nowMs - (kept?.writtenAt ?? current.startedAt));
  return { detail, current, view: kept?.view ?? null, source: "checkpoint", freshnessMs };
}

function viewOf(
  sight: Sight,
  attempts: readonly Attempt[],
): Omit<TaskDetailView, keyof TaskFacts | "waiting_because"> {
  const { detail, current } = sight;
  const { task, nowMs } = detail;
  const status = shownStatus(task, nowMs);
  return {
    state: status === "running" ? (sight.view?.state ?? "running") : status,
    ...placeOf(sight),
    ...vitalsOf(sight),
    id: task.id,
    taskNo: task.taskNo,
    name: task.name,
    status,
    attempt: task.attempt,
    maxAttempts: 1 + task.retry.total,
    coroutine_id: current?.coroutineId ?? null,
    service_id: current?.serviceId ?? null,
    result: current?.result ? parseExact(current.result) : null,
    error: errorView(current?.error),
    attempts: attempts.map(attemptView),
  };
}

function placeOf({ detail, current, view }: Sight) {
  const frames = seedFrames(view);
  const [innermost] = frames;
  const { percent, text = null } = view?.progress ?? {};
  const hasVars = Object.keys(view?.vars ?? {}).length > 0;
  return {
    trace_list: JSON.stringify(frames),
    executed_file_name: innermost?.file ?? null,
    executed_function_name: innermost?.function ?? null,
    executed_function_line: innermost?.line ?? null,
    waiting_points: view?.waiting ?? [],
    vars: hasVars && view?.vars ? view.vars : [],
    round: view?.round ?? 0,
    elapsed: view === null ? elapsedOf(current, detail.nowMs) : Math.round(view.elapsedMs),
    progress: percent === undefined ? null : { percent, text },
  };
}

/** As the original shows them: the call of the platform that the job waits in is a frame, with the line that made it. */
function seedFrames(view: LiveView | null) {
  const { frames = [], call } = view ?? {};
  const [innermost] = frames;
  if (call === undefined || innermost === undefined) return frames;
  const { file, line } = innermost;
  return [{ file, line, function: call.function, args: call.args }, ...frames];
}

function vitalsOf({ view, source, freshnessMs }: Sight) {
  const { cpuMs, heapBytes, rssBytes, memoryAgeMs, eventLoopLagMs } = view?.vitals ?? {};
  return {
    freshness_ms: freshnessMs,
    source,
    moving: view?.moving === true,
    frames_omitted: view?.omitted ?? 0,
    cpu_ms: cpuMs ?? null,
    heap_bytes: heapBytes ?? null,
    rss_bytes: rssBytes ?? null,
    memory_age_ms: memoryAgeMs ?? null,
    event_loop_lag_ms: eventLoopLagMs ?? null,
  };
}

function elapsedOf(attempt: Attempt | null, nowMs: number): number {
  return attempt === null ? 0 : Math.max(0, (attempt.finishedAt ?? nowMs) - attempt.startedAt);
}

/** An attempt as it is shown. */
export function attemptView(attempt: Attempt): AttemptView {
  return {
    attempt: attempt.attempt,
    outcome: attempt.outcome,
    charged: attempt.charged,
    started_at: attempt.startedAt,
    finished_at: attempt.finishedAt,
    service_id: attempt.serviceId,
    error: errorView(attempt.error),
  };
}

function errorView(error: AttemptError | null | undefined): ErrorView | null {
  if (!error) return null;
  const { name, message, stack = null, reason, fields, errors, fingerprint } = error;
  return {
    name,
    message,
    stack,
    ...(reason !== undefined && { reason }),
    ...(fields !== undefined && { fields }),
    ...(errors !== undefined && { errors }),
    ...(fingerprint !== undefined && { fingerprint }),
  };
}
