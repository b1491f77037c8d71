// Applications, tasks, claims and finishes as the suites need them.
import { randomUUID } from "node:crypto";
import type { AttemptEnd } from "../../../src/core/attempt.ts";
import { linearRetry } from "../../../src/core/retry-policy.ts";
import type { ClaimedTask, NewTask } from "../../../src/core/task.ts";
import type {
  ClaimRequest,
  CreateResult,
  Finish,
  NewApplication,
  Store,
  TaskDetail,
} from "../../../src/store/store.ts";

export const LEASE_MS = 15_000;
const retry = linearRetry(5, 3);

export function sampleApplication(change: Partial<NewApplication> = {}): NewApplication {
  return {
    appKey: randomUUID(),
    name: "帅的批爆1",
    secretSealed: "sealed",
    callbackSecretSealed: "callback sealed",
    successMatch: "body",
    linkUrl: "http://127.0.0.1/",
    retry,
    remark: "呵呵",
    requireBodySignature: false,
    ...change,
  };
}

let numbered = 0;

/** A number nobody used before; later ones are larger, as ids follow the order of the numbers in a batch. */
function nextTaskNo(): string {
  numbered += 1;
  return `${String(numbered).padStart(6, "0")}-${randomUUID()}`;
}

/** A callback unless a job is named: its lane follows from that. */
export function sampleTask(applicationId: number, change: Partial<NewTask> = {}): NewTask {
  const job = change.job ?? null;
  return {
    applicationId,
    taskNo: nextTaskNo(),
    name: "name",
    lane: job === null ? "callback" : "job",
    job,
    content: "{}",
    digest: "0".repeat(64),
    timeoutMs: 60_000,
    runAt: null,
    retry,
    webhookTag: job === null ? randomUUID().replaceAll("-", "") : null,
    ...change,
  };
}

/** A corner of the database that no other test works in: an application and a job of its own. */
export interface Corner {
  readonly store: Store;
  readonly applicationId: number;
  readonly job: string;
  /** Creates tasks; resolves to their ids. */
  add(...changes: Partial<NewTask>[]): Promise<number[]>;
  claim(slots: number, change?: Partial<ClaimRequest>): Promise<readonly ClaimedTask[]>;
  /** Creates one task, claims it, and resolves to the claim. */
  start(change?: Partial<NewTask>): Promise<ClaimedTask>;
  read(id: number): Promise<TaskDetail>;
}

export async function openCorner(store: Store): Promise<Corner> {
  const applicationId = await store.applications.create(sampleApplication());
  const job = `job-${randomUUID()}`;
  const add: Corner["add"] = async (...changes) => {
    const tasks = changes.map((change) => sampleTask(applicationId, { job, ...change }));
    return (await store.tasks.create(tasks)).map(idOf);
  };
  const claim: Corner["claim"] = async (slots, change) =>
    (await store.tasks.turn([], claimOf(job, slots, change))).claimed;
  return {
    store,
    applicationId,
    job,
    add,
    claim,
    start: async (change = {}) => {
      const [id] = await add(change);
      const claimed = await claim(1);
      return present(claimed.find(({ taskId }) => taskId === id));
    },
    read: async (id) => present(await store.tasks.find({ applicationId, id })),
  };
}

export function claimOf(job: string, slots: number, change?: Partial<ClaimRequest>): ClaimRequest {
  return {
    lane: "job",
    serviceId: "executor-1",
    leaseMs: LEASE_MS,
    jobs: [job],
    coroutineIds: Array.from({ length: slots }, (_, slot) => slot + 1),
    ...change,
  };
}

export function idOf(result: CreateResult): number {
  if (result.kind === "rejected") throw result.cause;
  return result.id;
}

export function present<T>(value: T | null | undefined): T {
  if (value === undefined || value === null) throw new Error("expected a value");
  return value;
}

export function finishOf(task: ClaimedTask, change: Partial<Finish> = {}): Finish {
  const { taskId, attemptId, fence } = task;
  return {
    taskId,
    attemptId,
    fence,
    end: { outcome: "succeeded", result: "1" },
    charged: true,
    next: { kind: "terminal", status: "succeeded" },
    ...change,
  };
}

/** An end that is tried again after `delayMs`. */
export function retryOf(task: ClaimedTask, delayMs = 0, end?: AttemptEnd): Finish {
  const failed: AttemptEnd = { outcome: "failed", error: { name: "Error", message: "no" } };
  return finishOf(task, { end: end ?? failed, next: { kind: "pending", delayMs } });
}

export function leaseOf({ taskId, attemptId, fence }: ClaimedTask) {
  return { taskId, attemptId, fence };
}
