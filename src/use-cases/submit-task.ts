// The use case of creating a task: checked now, durable before the answer, many at once in one statement.

import { AppError, type FieldError, invalid, messageOf } from "../core/errors.ts";
import type { JobDefinition } from "../core/job.ts";
import type { Logger } from "../core/logger.ts";
import { completeRetry } from "../core/retry-policy.ts";
import {
  isSameRequest,
  type RequestDigests,
  requestDigests,
  type SameParts,
} from "../core/same-request.ts";
import { askStore } from "../core/store-answer.ts";
import type { SubmitInput } from "../core/submit-input.ts";
import type { NewTask, Task } from "../core/task.ts";
import {
  contentWarnings,
  readContent,
  requireFittingParams,
  type TaskContent,
} from "../core/task-content.ts";
import { formatInstant, isInZone, readMoment, readRuntime } from "../core/timestamps.ts";
import type { CreatedTask } from "../core/views/created-task.ts";
import { newWebhookTag } from "../core/webhook-id.ts";
import type { Queue } from "../queue/queue.ts";
import type { Application, CreateResult, Store } from "../store/store.ts";
import { createAbsenceWarning, type Warnings } from "./absence-warning.ts";
import { createApplicationUse } from "./application-use.ts";
import { createBells } from "./bells.ts";
import { createBatches, type Stored, type Submission } from "./create-batches.ts";
import { createDatabaseClock } from "./database-clock.ts";
import { createJobFinder, type FindJob } from "./find-job.ts";
import { repeatedCreate } from "./repeated-create.ts";

export interface SubmitDeps {
  readonly store: Pick<Store, "tasks" | "catalogue" | "executors" | "applications" | "now">;
  readonly queue: Pick<Queue, "ring">;
  readonly logger: Logger;
  readonly timezone: string;
  /** True when nobody has chosen the zone and the machine is on UTC. */
  readonly isZoneAssumed?: boolean;
  /** How long a create may wait to be stored; absent: as long as the store takes. */
  readonly deadlineMs?: number;
  /** How long an executor may be silent and still count as living. */
  readonly silentMs?: number;
  /** False: one statement per task, for the bench. */
  readonly coalesce?: boolean;
}

export interface TaskSubmitter {
  /** Resolves after commit. Throws AppError `invalid`, `refused` or `unavailable`. */
  submit(application: Application, input: SubmitInput): Promise<CreatedTask>;
  /** Settles when everything submitted so far is stored and rung. */
  flush(): Promise<void>;
}

interface Checks {
  readonly findJob: FindJob;
  readonly databaseNow: () => Promise<number>;
  readonly timezone: string;
}

/** When a task is due: for the database, and on this process's monotonic clock. */
interface Due {
  readonly runAt: number | null;
  readonly dueAtMs: number;
}

/** What was read of a create before anything was looked up. */
interface Read {
  readonly input: SubmitInput;
  readonly content: TaskContent;
  readonly digests: RequestDigests;
}

export function createTaskSubmitter(deps: SubmitDeps): TaskSubmitter {
  const { store, logger, timezone, coalesce = true } = deps;
  const findJob = createJobFinder(store.catalogue);
  const checks = { findJob, databaseNow: createDatabaseClock(store), timezone };
  const bells = createBells(deps);
  const use = createApplicationUse({ applications: store.applications, logger });
  const warn = createAbsenceWarning(deps);
  const batches = createBatches({
    create: (tasks) => store.tasks.create(tasks),
    onStored: (stored) => {
      bells.ring(stored.flatMap(newWorkOf));
      use.note(stored.map(({ submission }) => submission.task.applicationId));
    },
    onFailed: (thrown, count) =>
      logger.error({ tasks: count, error: messageOf(thrown) }, "new tasks could not be stored"),
    coalesce,
    deadlineMs: deps.deadlineMs,
  });

  return {
    async submit(application, input): Promise<CreatedTask> {
      const content = readContent(input.content, input.contentText);
      const digests = requestDigests(partsOf(input, content), timezone);
      try {
        const submission = await prepare(checks, application, { input, content, digests });
        const [result, warnings] = await Promise.all([
          batches.add(submission),
          warn(submission.task.job),
        ]);
        if (result.kind === "existing" && !result.same)
          throw await refuseRepeated(store, submission.task);
        const { taskId } = answer(result, logger);
        const taken = takenOf(input.runtime, timezone);
        const more = [
          ...contentWarnings(content),
          ...zoneWarnings(deps, input),
          ...(result.kind === "created" ? limitWarnings(input, submission.task) : []),
        ];
        return { taskId, ...taken, ...withMore(warnings, more) };
      } catch (refusal) {
        const earlier = isRefusal(refusal) && (await findEarlier(store, application, input.taskNo));
        if (earlier && isSameRequest(earlier, digests))
          return { taskId: earlier.id, ...takenOf(input.runtime, timezone) };
        throw refusal;
      }
    },
    async flush() {
      await batches.flush();
      await bells.settled();
      await use.settled();
    },
  };
}

/** Each by its name: a new one does not compile before it is here, or on the list of what is not compared. */
function partsOf(input: SubmitInput, content: TaskContent): SameParts {
  const { name, timeout, runtime, retry } = input;
  return { name, content, timeout, runtime, retry };
}

/** Nothing is made while there is no more. */
function withMore(known: Warnings, more: readonly string[]): Warnings {
  return more.length === 0 ? known : { warnings: [...(known.warnings ?? []), ...more] };
}

/** A time without a zone may be hours off where nobody has said which zone is meant. */
function zoneWarnings(
  { isZoneAssumed, timezone }: SubmitDeps,
  { runtime }: SubmitInput,
): readonly string[] {
  if (isZoneAssumed !== true || runtime === undefined || !isInZone(runtime)) return [];
  return [
    `runtime has no zone and was read in ${timezone}, the zone of this machine: set APP_TIMEZONE, or send an offset`,
  ];
}

/** Of a new task alone: the one that a repeated create finds keeps the limit that its job had then. */
function limitWarnings({ timeout }: SubmitInput, { job, timeoutMs }: NewTask): readonly string[] {
  if (timeoutMs === timeout) return [];
  return [
    `timeout ${timeout} is above the limit of the job '${job}', ${timeoutMs}: the job's counts, each attempt ends after ${timeoutMs} ms`,
  ];
}

/** The instant that was read, for the caller to see. */
function takenOf(runtime: SubmitInput["runtime"], timezone: string): Omit<CreatedTask, "taskId"> {
  if (runtime === undefined) return {};
  const read = readMoment(runtime, timezone);
  // What cannot be read is refused, unless it repeats what an earlier release took.
  if (read.kind === "problem" || read.epochMs === 0) return {};
  return { runAt: read.epochMs, runAtText: formatInstant(read.epochMs, timezone) };
}

/** Everything that can be wrong with a create is found here, before anything is stored. */
async function prepare(
  checks: Checks,
  application: Application,
  { input, content, digests }: Read,
): Promise<Submission> {
  const [due, job] = await allOrFailure([readDue(checks, input.runtime), jobOf(checks, content)]);
  const task = newTask(application, input, { content, digests, job, runAt: due.runAt });
  return { task, dueAtMs: due.dueAtMs };
}

function isRefusal(thrown: unknown): boolean {
  return thrown instanceof AppError && (thrown.code === "invalid" || thrown.code === "refused");
}

/** A repeated create is answered as the first one, also when the catalogue would refuse it today. */
async function findEarlier(
  store: SubmitDeps["store"],
  { id: applicationId }: Application,
  taskNo: string,
): Promise<Task | undefined> {
  return (await askStore(() => store.tasks.find({ applicationId, taskNo })))?.task;
}

/** It was there a moment ago; should retention have taken it since, the repetition may be sent again. */
async function refuseRepeated(store: SubmitDeps["store"], asked: NewTask): Promise<AppError> {
  const { applicationId, taskNo } = asked;
  const stored = await askStore(() => store.tasks.find({ applicationId, taskNo }));
  if (stored !== undefined) return repeatedCreate(stored.task, asked);
  const gone = "the task with this taskNo has just been removed: send it again";
  return new AppError("unavailable", gone, { retryAfterS: 1 });
}

function newTask(
  application: Application,
  input: SubmitInput,
  read: Omit<Read, "input"> & { job: JobDefinition | null; runAt: number | null },
): NewTask {
  const { content, digests, job, runAt } = read;
  return {
    applicationId: application.id,
    taskNo: input.taskNo,
    name: input.name,
    lane: content.call === null ? "callback" : "job",
    job: job?.name ?? null,
    content: content.text,
    ...digests,
    timeoutMs: Math.min(input.timeout, job?.timeoutMs ?? input.timeout),
    runAt,
    retry: completeRetry(input.retry, job?.retry ?? application.retry),
    webhookTag: content.call === null ? newWebhookTag() : null,
  };
}

async function readDue(checks: Checks, runtime: SubmitInput["runtime"]): Promise<Due> {
  if (runtime === undefined) return { runAt: null, dueAtMs: performance.now() };
  const nowMs = await askStore(checks.databaseNow);
  const runAt = readRuntime(runtime, { nowMs, timezone: checks.timezone });
  return { runAt, dueAtMs: performance.now() + (runAt === null ? 0 : runAt - nowMs) };
}

async function jobOf(checks: Checks, content: TaskContent): Promise<JobDefinition | null> {
  requireFittingParams(content);
  return content.call === null ? null : checks.findJob(content.call);
}

/** Waits for both; when both find something invalid, one error names every field. */
async function allOrFailure<A, B>(parts: [Promise<A>, Promise<B>]): Promise<[A, B]> {
  try {
    return await Promise.all(parts);
  } catch (thrown) {
    const [first, second] = await Promise.allSettled(parts);
    if (first.status === "fulfilled" || second.status === "fulfilled") throw thrown;
    const errors = [...fieldErrorsOf(first.reason), ...fieldErrorsOf(second.reason)];
    throw errors.length > 1 ? invalid(errors) : thrown;
  }
}

function fieldErrorsOf(thrown: unknown): readonly FieldError[] {
  return thrown instanceof AppError ? (thrown.details.errors ?? []) : [];
}

function newWorkOf({ submission, result }: Stored) {
  if (result.kind !== "created") return [];
  const dueInMs = Math.max(0, Math.round(submission.dueAtMs - performance.now()));
  return [{ lane: submission.task.lane, dueInMs, taskId: result.id }];
}

function answer(result: CreateResult, logger: Logger): { taskId: number } {
  if (result.kind === "rejected") {
    logger.error({ error: messageOf(result.cause) }, "the database refused a new task");
    throw new AppError("refused", "the database refused this task", { cause: result.cause });
  }
  return { taskId: result.id };
}
