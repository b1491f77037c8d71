// The use case of looking at a task: what the store knows, and where it is right now when it runs.
import type { Bus } from "../bus/bus.ts";
import type { AttemptError, LiveView } from "../core/attempt.ts";
import { parseExact } from "../core/exact-json.ts";
import { SILENT_MS } from "../core/job-holders.ts";
import { askStore } from "../core/store-answer.ts";
import { shownStatus } from "../core/task.ts";
import { taskFacts } from "../core/task-facts.ts";
import type { AttemptView, ErrorView } from "../core/views/attempt.ts";
import type {
  TaskDetailView,
  TaskFacts,
  TaskFigures,
  TaskPlace,
} from "../core/views/task-detail.ts";
import { waitingReason } from "../core/waiting-reason.ts";
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

type Source = TaskDetailView["source"];

/** What is known of a task at one moment. */
interface Snapshot {
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
  const snapshot = await look(deps, detail);
  const attempts = await askStore(() => deps.store.attempts.list(detail.task.id, MOST_ATTEMPTS));
  return { ...viewOf(snapshot, attempts), ...(await askedFor(deps, snapshot.detail)) };
}

/** What it was asked for, and why it waits. */
async function askedFor(
  { store, timezone, silentMs = SILENT_MS }: DetailDeps,
  detail: TaskDetail,
): Promise<TaskFacts & Pick<TaskDetailView, "waiting_because">> {
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

async function look(deps: DetailDeps, detail: TaskDetail): Promise<Snapshot> {
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
async function lookBack(deps: DetailDeps, detail: TaskDetail): Promise<Snapshot> {
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
async function lookUp(deps: DetailDeps, detail: TaskDetail, current: Attempt): Promise<Snapshot> {
  const kept = await askStore(() => deps.store.attempts.lastCheckpoint(current.id));
  const freshnessMs = Math.max(0, detail.nowMs - (kept?.writtenAt ?? current.startedAt));
  return { detail, current, view: kept?.view ?? null, source: "checkpoint", freshnessMs };
}

function viewOf(
  snapshot: Snapshot,
  attempts: readonly Attempt[],
): Omit<TaskDetailView, keyof TaskFacts | "waiting_because"> {
  const { detail, current } = snapshot;
  const { task, nowMs } = detail;
  const status = shownStatus(task, nowMs);
  return {
    state: status === "running" ? (snapshot.view?.state ?? "running") : status,
    ...placeOf(snapshot),
    ...figuresOf(snapshot),
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

function placeOf({ detail, current, view }: Snapshot): TaskPlace {
  const frames = seedFrames(view);
  const [innermost] = frames;
  const hasVars = Object.keys(view?.vars ?? {}).length > 0;
  return {
    trace_list: JSON.stringify(frames),
    frames_omitted: view?.omitted ?? 0,
    executed_file_name: innermost?.file ?? null,
    executed_function_name: innermost?.function ?? null,
    executed_function_line: innermost?.line ?? null,
    waiting_points: view?.waiting ?? [],
    vars: hasVars && view?.vars ? view.vars : [],
    round: view?.round ?? 0,
    elapsed: view === null ? elapsedOf(current, detail.nowMs) : Math.round(view.elapsedMs),
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

function figuresOf({ view, source, freshnessMs }: Snapshot): TaskFigures {
  const { percent, text = null } = view?.progress ?? {};
  const { cpuMs, heapBytes, rssBytes, memoryAgeMs, eventLoopLagMs } = view?.vitals ?? {};
  return {
    progress: percent === undefined ? null : { percent, text },
    freshness_ms: freshnessMs,
    source,
    moving: view?.moving === true,
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
