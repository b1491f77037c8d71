// Suite: claiming what is due, in order, fairly, and never twice.
import { describe, expect, test } from "bun:test";
import { randomUUID } from "node:crypto";
import { linearRetry } from "../../../src/core/retry-policy.ts";
import type { ClaimedTask, RetryPolicy } from "../../../src/core/task.ts";
import type { Store } from "../../../src/store/store.ts";
import { withMigratedStore } from "./migrated-store.ts";
import {
  type Corner,
  claimOf,
  finishOf,
  idOf,
  LEASE_MS,
  openCorner,
  present,
  sampleApplication,
  sampleTask,
} from "./samples.ts";
import type { CreateTestDatabase, TestDatabase } from "./world.ts";

export function claimingSuite(createDatabase: CreateTestDatabase): void {
  describe("claiming", () => {
    let database: TestDatabase;
    let store: Store;

    withMigratedStore(createDatabase, (opened) => {
      ({ database, store } = opened);
    });

    test("a claim begins an attempt and hands out all it needs", async () => {
      const corner = await openCorner(store);
      const [id] = await corner.add({
        taskNo: "no-1",
        name: "n",
        content: "[1]",
        timeoutMs: 1_234,
      });
      const before = await store.now();
      const claim = claimOf(corner.job, 1, { coroutineIds: [42], serviceId: "host-7" });
      const [claimed] = (await store.tasks.turn([], claim)).claimed;
      const { task, latest } = await corner.read(present(id));
      expect(claimed).toMatchObject({ taskId: id, fence: 1, attempt: 1, charged: 0, deaths: 0 });
      expect(claimed).toMatchObject({
        taskNo: "no-1",
        name: "n",
        content: "[1]",
        timeoutMs: 1_234,
      });
      expect(claimed).toMatchObject({ coroutineId: 42, attemptId: latest?.id, lane: "job" });
      expect(claimed?.application).toMatchObject({
        id: corner.applicationId,
        linkUrl: "http://127.0.0.1/",
        secretSealed: "sealed",
      });
      expect(task).toMatchObject({ status: "running", fence: 1, attempt: 1 });
      expect(task.leaseUntil).toBeGreaterThanOrEqual(before + LEASE_MS);
      expect(latest).toMatchObject({
        life: 1,
        attempt: 1,
        fence: 1,
        outcome: null,
        charged: false,
      });
      expect(latest).toMatchObject({ serviceId: "host-7", coroutineId: 42, finishedAt: null });
      expect(latest?.startedAt).toBeGreaterThanOrEqual(before);
    });

    test("a retry policy of any kind comes back as it was given", async () => {
      const corner = await openCorner(store);
      const retries: RetryPolicy[] = [
        linearRetry(0, 0),
        { ...linearRetry(3_600, 10), maxDelayS: 60 },
        { ...linearRetry(5, 100), strategy: "exponential", jitter: true, maxDelayS: 86_400 },
        { ...linearRetry(5, 3), strategy: "fixed", retryOnTimeout: false },
      ];
      const ids = await corner.add(...retries.map((retry) => ({ retry })));
      for (const [at, id] of ids.entries()) {
        expect((await corner.read(id)).task.retry).toEqual(present(retries[at]));
      }
      const claimed = await corner.claim(retries.length);
      const byId = new Map(claimed.map(({ taskId, retry }) => [taskId, retry]));
      expect(ids.map((id) => byId.get(id))).toEqual(retries);
      const orphans = await store.tasks.runningOf("executor-1");
      const retryOf = (id: number) => orphans.find(({ taskId }) => taskId === id)?.retry;
      expect(ids.map(retryOf)).toEqual(retries);
    });

    test("tasks are claimed by the time they are due, then by id", async () => {
      const corner = await openCorner(store);
      const now = await store.now();
      const delays = [-10, -30, -20, -30, -10];
      const ids = await corner.add(...delays.map((delay) => ({ runAt: now + delay })));
      const claimed = [...(await corner.claim(2)), ...(await corner.claim(9))];
      const order = [1, 3, 2, 0, 4].map((index) => ids[index]);
      expect(claimed.map(({ taskId }) => taskId)).toEqual(order.map(present));
    });

    test("a task is not claimed before it is due", async () => {
      const corner = await openCorner(store);
      await corner.add({ runAt: (await store.now()) + 600_000 });
      const result = await store.tasks.turn([], claimOf(corner.job, 1));
      expect(result).toMatchObject({ claimed: [], moreDue: false });
      expect(result.nextDueInMs).toBeGreaterThan(500_000);
      expect(result.nextDueInMs).toBeLessThanOrEqual(600_000);
    });

    test("a turn says whether more is due, and when the next one is", async () => {
      const corner = await openCorner(store);
      const nothing = await store.tasks.turn([], claimOf(corner.job, 1));
      expect(nothing).toEqual({ finished: [], claimed: [], moreDue: false, nextDueInMs: null });
      await corner.add({}, {}, { runAt: (await store.now()) + 600_000 });
      const first = await store.tasks.turn([], claimOf(corner.job, 1));
      expect(first).toMatchObject({ moreDue: true, nextDueInMs: 0 });
      const last = await store.tasks.turn([], claimOf(corner.job, 1));
      expect(last.moreDue).toBe(false);
      expect(last.nextDueInMs).toBeGreaterThan(500_000);
    });

    test("without a free slot nothing is claimed, but what is due is told", async () => {
      const corner = await openCorner(store);
      await corner.add({});
      const result = await store.tasks.turn([], claimOf(corner.job, 0));
      expect(result).toMatchObject({ claimed: [], moreDue: true });
    });

    test("jobs that are not named stay for executors that know them", async () => {
      const corner = await openCorner(store);
      const [unknown] = await corner.add({ job: `${corner.job}-other` });
      const known = await corner.add({});
      const result = await store.tasks.turn([], claimOf(corner.job, 9));
      expect(result.claimed.map(({ taskId }) => taskId)).toEqual(known);
      expect(result).toMatchObject({ moreDue: false, nextDueInMs: null });
      expect((await corner.read(present(unknown))).task.status).toBe("pending");
    });

    test("more jobs than one statement can name are all served", async () => {
      const corner = await openCorner(store);
      const jobs = Array.from({ length: 900 }, (_, i) => `${corner.job}-${i}`);
      const ids = await corner.add({ job: jobs[0] ?? "" }, { job: jobs[899] ?? "" });
      const { claimed } = await store.tasks.turn([], claimOf("", 9, { jobs }));
      expect(claimed.map(({ taskId }) => taskId)).toEqual(ids);
    });

    test("the callback lane takes callbacks only, and the job lane jobs only", async () => {
      const corner = await openCorner(store);
      const [job] = await corner.add({});
      const [callback] = await store.tasks.create([sampleTask(corner.applicationId)]);
      const callbacks = claimOf("", 9, { lane: "callback", jobs: null });
      const inCallbackLane = (await store.tasks.turn([], callbacks)).claimed;
      expect(inCallbackLane.map(({ taskId }) => taskId)).toEqual([idOf(present(callback))]);
      expect((await corner.claim(9)).map(({ taskId }) => taskId)).toEqual([present(job)]);
    });

    test("a held task is not claimed before its holder is declared dead", async () => {
      const corner = await openCorner(store);
      const task = await corner.start();
      const finish = finishOf(task, {
        end: { outcome: "timed_out" },
        next: { kind: "pending", delayMs: 0 },
        heldBy: "executor-held",
      });
      const result = await store.tasks.turn([finish], claimOf(corner.job, 1));
      expect(result.finished).toHaveLength(1);
      expect(result).toMatchObject({ claimed: [], moreDue: false, nextDueInMs: null });
      await store.executors.declareDead("executor-other");
      expect(await corner.claim(1)).toEqual([]);
      await store.executors.declareDead("executor-held");
      expect(await corner.claim(1)).toMatchObject([{ taskId: task.taskId, fence: 2 }]);
    });

    test("an application with a flood of due tasks leaves the others their share", async () => {
      const flood = await openCorner(store);
      const now = await store.now();
      await flood.add(...Array.from({ length: 600 }, () => ({ runAt: now - 60_000 })));
      const few = await addFor(store, flood.job, 3);
      const many = await addFor(store, flood.job, 30);
      const claimed = await flood.claim(24);
      const shares = countBy(claimed, ({ application }) => application.id);
      expect(claimed).toHaveLength(24);
      expect(shares.get(few)).toBe(3);
      expect(shares.get(many)).toBeGreaterThanOrEqual(8);
      expect(shares.get(flood.applicationId)).toBeGreaterThanOrEqual(8);
    });

    test("with one slot the applications take turns", async () => {
      const first = await openCorner(store);
      const now = await store.now();
      await first.add(...Array.from({ length: 50 }, () => ({ runAt: now - 60_000 })));
      const others = [await addFor(store, first.job, 5), await addFor(store, first.job, 5)];
      const served: number[] = [];
      for (let turn = 0; turn < 9; turn++) {
        served.push(...(await first.claim(1)).map(({ application }) => application.id));
      }
      for (const id of [first.applicationId, ...others]) {
        expect(served.filter((each) => each === id)).toHaveLength(3);
      }
    });

    test("within one application the oldest goes first, also when slots are shared", async () => {
      const corner = await openCorner(store);
      const now = await store.now();
      const ids = await corner.add(...[9, 1, 8, 2].map((age) => ({ runAt: now - age * 1_000 })));
      await addFor(store, corner.job, 4);
      const claimed = await corner.claim(4);
      const own = claimed.filter(({ application }) => application.id === corner.applicationId);
      expect(own.map(({ taskId }) => taskId)).toEqual([present(ids[0]), present(ids[2])]);
    });

    test("more applications than slots are all served in the end", async () => {
      const job = `job-${randomUUID()}`;
      const ids: number[] = [];
      for (let i = 0; i < 12; i++) ids.push(await addFor(store, job, 2));
      const served: number[] = [];
      for (let turn = 0; turn < 3; turn++) {
        const { claimed } = await store.tasks.turn([], claimOf(job, 4));
        served.push(...claimed.map(({ application }) => application.id));
      }
      expect(served.sort(byNumber)).toEqual(ids.sort(byNumber));
    });

    test("an application is found among more than one turn can look at", async () => {
      const flood = await openCorner(store);
      const now = await store.now();
      // With so many jobs a turn asks only a few applications for each of them.
      const jobs = Array.from({ length: 120 }, (_, i) => `${flood.job}-${i}`);
      const old = jobs.flatMap((job) => [
        { job, runAt: now - 60_000 },
        { job, runAt: now - 60_000 },
      ]);
      await flood.add(...old);
      for (let i = 0; i < 12; i++) await addFor(store, `${flood.job}-idle`, 1);
      const last = await addFor(store, jobs[7] ?? "", 1);
      const served: number[] = [];
      for (let turn = 0; turn < 40 && !served.includes(last); turn++) {
        const { claimed } = await store.tasks.turn([], claimOf("", 4, { jobs }));
        served.push(...claimed.map(({ application }) => application.id));
      }
      // The flood alone would fill 60 turns.
      expect(served).toContain(last);
    });

    test("consumers that claim at the same time never get the same task, and all tasks", async () => {
      const corner = await openCorner(store);
      const ids = await corner.add(...Array.from({ length: 400 }, () => ({})));
      const consumers = Array.from({ length: 6 }, (_, i) =>
        drain(database.open(), corner, `e-${i}`),
      );
      const claimed = (await Promise.all(consumers)).flat();
      expect(claimed.map(({ taskId }) => taskId).sort(byNumber)).toEqual(ids);
      const rows = await database.query(
        `SELECT COUNT(*) AS number FROM attempts WHERE task_id IN (${ids.join()})`,
      );
      expect(Number(rows[0]?.["number"])).toBe(400);
    });
  });
}

/** Claims until nothing is due any more. */
async function drain(store: Store, corner: Corner, serviceId: string): Promise<ClaimedTask[]> {
  const all: ClaimedTask[] = [];
  for (;;) {
    const { claimed, moreDue } = await store.tasks.turn([], claimOf(corner.job, 7, { serviceId }));
    all.push(...claimed);
    if (claimed.length === 0 && !moreDue) return all;
  }
}

/** An application of its own with due tasks of the job; resolves to its id. */
async function addFor(store: Store, job: string, count: number): Promise<number> {
  const id = await store.applications.create(sampleApplication());
  await store.tasks.create(Array.from({ length: count }, () => sampleTask(id, { job })));
  return id;
}

function countBy<Item>(items: readonly Item[], keyOf: (item: Item) => number): Map<number, number> {
  const counts = new Map<number, number>();
  for (const item of items) counts.set(keyOf(item), (counts.get(keyOf(item)) ?? 0) + 1);
  return counts;
}

function byNumber(a: number, b: number): number {
  return a - b;
}
