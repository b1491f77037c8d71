// What use cases stand on, for tests: a real SQLite store, the local queue and bus, and one application.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { createLocalBus } from "../../src/bus/local.ts";
import type { AttemptEnd } from "../../src/core/attempt.ts";
import type { JobDefinition } from "../../src/core/job.ts";
import { decideNext } from "../../src/core/outcome.ts";
import { linearRetry } from "../../src/core/retry-policy.ts";
import { createSecretBox, keyFromText } from "../../src/core/secret-box.ts";
import type { ClaimedTask, Lane, NewTask } from "../../src/core/task.ts";
import { createLocalQueue } from "../../src/queue/local.ts";
import type { Doorbell } from "../../src/queue/queue.ts";
import { createSqliteStore } from "../../src/store/sqlite/store.ts";
import type { Application, Store } from "../../src/store/store.ts";
import { sampleTask } from "../contract/store/samples.ts";
import { createRecordedLog } from "./recorded-log.ts";

export const SERVICE_ID = "executor-1";
export const COROUTINE_ID = 6;

/** Everything is real; only the executor is played by the test, one statement at a time. */
export type World = Awaited<ReturnType<typeof createWorld>>;

export async function createWorld() {
  const folder = await mkdtemp(join(tmpdir(), "serendipity-core-"));
  const path = join(folder, "tasks.sqlite");
  const store = createSqliteStore({ path });
  await store.migrate();
  const secretBox = createSecretBox(keyFromText("a secret key for tests, of 32 characters"));
  const queue = createLocalQueue({ links: [] });
  const bells: Doorbell[] = [];
  for (const lane of ["job", "callback"] as const) {
    await queue.listen(lane, (bell) => bells.push(bell));
  }
  const logger = createRecordedLog();
  const { lines } = logger;
  const bus = createLocalBus({ links: [], logger });
  const close = async () => {
    await Promise.all([queue.close(), bus.close()]);
    await store.close();
    await rm(folder, { recursive: true });
  };
  return {
    path,
    timezone: "Asia/Shanghai",
    store,
    secretBox,
    queue,
    bells,
    bus,
    logger,
    lines,
    close,
  };
}

/** Makes the row as a release before exact digests would have written it. */
export function forgetExactDigest({ path }: Pick<World, "path">, taskId: number): void {
  const file = new DatabaseSync(path);
  file.prepare("UPDATE tasks SET exact_digest = NULL WHERE id = ?").run(taskId);
  file.close();
}

/** An application in the store, with its secret. */
export async function addApplication(
  { store, secretBox }: Pick<World, "store" | "secretBox">,
  settings: Partial<Application> & { appKey: string; secret?: string },
): Promise<Application & { readonly secret: string }> {
  const { secret = "a secret of the application", ...rest } = settings;
  await store.applications.create({
    name: "帅的批爆1",
    secretSealed: secretBox.seal(secret),
    linkUrl: "http://127.0.0.1:1024/",
    callbackSecretSealed: null,
    successMatch: "body",
    retry: linearRetry(5, 5),
    remark: "",
    requireBodySignature: false,
    ...rest,
  });
  const application = await store.applications.find(settings.appKey);
  if (application === undefined) throw new Error("the application is not there");
  return { ...application, secret };
}

/** A task in the store; resolves to its id. */
export async function addTask(
  store: Store,
  task: Partial<NewTask> & Pick<NewTask, "applicationId" | "taskNo">,
): Promise<number> {
  const { applicationId, ...own } = task;
  const change = { digest: "00", retry: linearRetry(0, 1), webhookTag: null, ...own };
  const [result] = await store.tasks.create([sampleTask(applicationId, change)]);
  if (result?.kind !== "created") throw new Error(`not created: ${JSON.stringify(result)}`);
  return result.id;
}

/** Claims the one task that is due. */
export async function claimTask(store: Store, lane: Lane = "callback"): Promise<ClaimedTask> {
  const claim = {
    lane,
    serviceId: SERVICE_ID,
    leaseMs: 60_000,
    jobs: lane === "job" ? ["countdown"] : null,
    coroutineIds: [COROUTINE_ID],
  };
  const { claimed } = await store.tasks.turn([], claim);
  const [task] = claimed;
  if (task === undefined) throw new Error("nothing is due");
  return task;
}

/** Ends an attempt as its consumer would. */
export async function endAttempt(store: Store, task: ClaimedTask, end: AttemptEnd): Promise<void> {
  const { taskId, attemptId, fence } = task;
  const finish = { taskId, attemptId, fence, end, ...decideNext(end, task, Math.random) };
  const { finished } = await store.tasks.turn([finish], null);
  if (finished.length !== 1) throw new Error("the attempt was not ours any more");
}

/** A job definition with everything optional left out. */
export function jobDefinition(job: Partial<JobDefinition> & { name: string }): JobDefinition {
  return {
    aliases: [],
    params: null,
    timeoutMs: null,
    retry: null,
    isolation: "warm",
    sourceHash: "00",
    untraced: [],
    ...job,
  };
}
