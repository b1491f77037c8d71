// Suite: leases, orphaned attempts, and which of two claims wins that want the same task.
import { describe, expect, test } from "bun:test";
import { randomUUID } from "node:crypto";
import { linearRetry } from "../../../src/core/retry-policy.ts";
import type { ClaimedTask } from "../../../src/core/task.ts";
import type { Finish, Store } from "../../../src/store/store.ts";
import { eventually } from "../../support/eventually.ts";
import { withMigratedStore } from "./migrated-store.ts";
import { claimOf, finishOf, leaseOf, openCorner, present, retryOf } from "./samples.ts";
import type { CreateTestDatabase, TestDatabase } from "./world.ts";

const RACES = 25;

export function leasingSuite(createDatabase: CreateTestDatabase): void {
  describe("leasing", () => {
    let database: TestDatabase;
    let store: Store;
    let other: Store;

    withMigratedStore(createDatabase, (opened) => {
      ({ database, store } = opened);
      other = database.open();
    });

    const expire = (...tasks: readonly ClaimedTask[]) =>
      database.query(
        `UPDATE tasks SET lease_until = 1 WHERE id IN (${tasks.map(({ taskId }) => taskId).join()})`,
      );
    const lost = (task: ClaimedTask): Finish => ({
      ...retryOf(task, 0, { outcome: "lost" }),
      charged: false,
    });

    test("a lease is renewed from now on the database's clock", async () => {
      const corner = await openCorner(store);
      const started = await corner.start();
      const before = await store.now();
      const renewed = await store.tasks.renew([leaseOf(started)], 99_000);
      expect(renewed).toEqual([{ ...leaseOf(started), cancelRequested: false, graceMs: 0 }]);
      const { leaseUntil } = (await corner.read(started.taskId)).task;
      expect(leaseUntil).toBeGreaterThanOrEqual(before + 99_000);
    });

    test("an expired lease that nobody took is renewed too", async () => {
      const corner = await openCorner(store);
      const started = await corner.start();
      await expire(started);
      expect(await store.tasks.renew([leaseOf(started)], 99_000)).toHaveLength(1);
      expect(await store.tasks.settle([lost(started)], true)).toEqual([]);
    });

    test("leases that are lost are missing in the answer", async () => {
      const corner = await openCorner(store);
      const [ended, taken, kept] = [
        await corner.start(),
        await corner.start(),
        await corner.start(),
      ];
      await store.tasks.turn([finishOf(ended), retryOf(taken)], null);
      await corner.claim(1);
      const renewed = await store.tasks.renew([ended, taken, kept].map(leaseOf), 99_000);
      expect(renewed.map(({ taskId }) => taskId)).toEqual([kept.taskId]);
      expect(await store.tasks.renew([], 99_000)).toEqual([]);
    });

    test("1,200 leases are renewed in one call", async () => {
      const corner = await openCorner(store);
      await corner.add(...Array.from({ length: 1_200 }, () => ({})));
      const claimed = await corner.claim(1_200);
      expect(await store.tasks.renew(claimed.map(leaseOf), 99_000)).toHaveLength(1_200);
    });

    test("renewing tells of requested cancels, and so does asking", async () => {
      const corner = await openCorner(store);
      const [wanted, unwanted] = [await corner.start(), await corner.start()];
      const reference = { applicationId: corner.applicationId, id: unwanted.taskId };
      await store.tasks.cancel({ reference });
      const leases = [wanted, unwanted].map(leaseOf);
      const renewed = await store.tasks.renew(leases, 99_000);
      expect(renewed.map(({ cancelRequested }) => cancelRequested)).toEqual([false, true]);
      expect(await store.tasks.cancelRequests(leases)).toEqual([
        { ...leaseOf(unwanted), graceMs: 0 },
      ]);
      const stale = { ...leaseOf(unwanted), fence: 99 };
      expect(await store.tasks.cancelRequests([stale])).toEqual([]);
      expect(await store.tasks.cancelRequests([])).toEqual([]);
    });

    test("a lease expires by itself, and is then found with all that deciding needs", async () => {
      const corner = await openCorner(store);
      const first = await corner.start();
      await store.tasks.turn([retryOf(first)], null);
      const [second] = await corner.claim(1, { leaseMs: 1 });
      const found = await eventually(async () => {
        const orphans = await store.tasks.expired(100);
        return orphans.find(({ taskId }) => taskId === first.taskId);
      });
      expect(found).toEqual({
        ...leaseOf(present(second)),
        charged: 1,
        deaths: 0,
        retry: linearRetry(5, 3),
        wasTold: false,
        taskNo: (await corner.read(first.taskId)).task.taskNo,
        job: corner.job,
        appKey: present(second).application.appKey,
        attempt: 2,
        ageMs: expect.any(Number),
      });
    });

    test("an orphan of an executor that was told to stop is known by that, and counted apart", async () => {
      const corner = await openCorner(store);
      const [told, untold] = [randomUUID(), randomUUID()];
      for (const serviceId of [told, untold])
        await store.executors.register({ serviceId, host: "here", pid: 1 });
      await corner.add({}, {});
      const [first] = await corner.claim(1, { serviceId: told });
      const [second] = await corner.claim(1, { serviceId: untold });
      await store.executors.noteStopping(told);
      expect(await store.tasks.runningOf(told)).toMatchObject([{ wasTold: true }]);
      expect(await store.tasks.runningOf(untold)).toMatchObject([{ wasTold: false }]);
      await expire(present(first));
      const expired = await store.tasks.expired(100);
      expect(expired.find(({ taskId }) => taskId === first?.taskId)?.wasTold).toBe(true);
      await store.executors.declareDead(told);
      const interrupted = { ...lost(present(first)), end: { outcome: "interrupted" as const } };
      await store.tasks.settle([{ ...interrupted, diedStopping: true }], false);
      await store.tasks.settle([{ ...lost(present(second)), end: interrupted.end }], false);
      const again = await corner.claim(2);
      expect(again.map(({ taskId, interruptions }) => [taskId, interruptions])).toEqual([
        [present(first).taskId, 1],
        [present(second).taskId, 0],
      ]);
      expect(again.map(({ deaths }) => deaths)).toEqual([0, 0]);
    });

    test("a new life begins without the interruptions of the last one", async () => {
      const corner = await openCorner(store);
      const started = await corner.start();
      const next = { kind: "terminal", status: "failed" } as const;
      await store.tasks.settle([{ ...lost(started), diedStopping: true, next }], false);
      const reference = { applicationId: corner.applicationId, id: started.taskId };
      expect((await corner.read(started.taskId)).task.interruptions).toBe(1);
      await store.tasks.redeliver({ reference });
      expect((await corner.read(started.taskId)).task.interruptions).toBe(0);
      await corner.claim(1);
    });

    test("expired leases are found oldest first, as many as asked for, living ones never", async () => {
      const corner = await openCorner(store);
      const tasks = [await corner.start(), await corner.start(), await corner.start()];
      const [a, b] = [present(tasks[0]), present(tasks[1])];
      await database.query(`UPDATE tasks SET lease_until = -5 WHERE id = ${b.taskId}`);
      await database.query(`UPDATE tasks SET lease_until = -4 WHERE id = ${a.taskId}`);
      const ids = async (limit: number) =>
        (await store.tasks.expired(limit)).map(({ taskId }) => taskId);
      expect(await ids(1)).toEqual([b.taskId]);
      expect((await ids(2)).slice(0, 2)).toEqual([b.taskId, a.taskId]);
      expect(await ids(100)).not.toContain(present(tasks[2]).taskId);
    });

    test("the running tasks of one executor are found, and of no other", async () => {
      const corner = await openCorner(store);
      await corner.add({}, {}, {});
      const mine = await corner.claim(2, { serviceId: "executor-mine" });
      await corner.claim(1, { serviceId: "executor-theirs" });
      const [ended, running] = [present(mine[0]), present(mine[1])];
      await store.tasks.turn([finishOf(ended)], null);
      const found = await store.tasks.runningOf("executor-mine");
      expect(found).toMatchObject([leaseOf(running)]);
      expect(await store.tasks.runningOf("executor-none")).toEqual([]);
    });

    test("what a turn claimed is found by its token, in its lane and executor only", async () => {
      const corner = await openCorner(store);
      await corner.add({}, {}, {});
      const turnToken = randomUUID().replaceAll("-", "");
      const [ended, running] = await corner.claim(2, { turnToken });
      await corner.claim(1, { turnToken: "another" });
      await store.tasks.turn([finishOf(present(ended))], null);
      const turns = { serviceId: "executor-1", lane: "job", turnTokens: ["x", turnToken] } as const;
      expect(await store.tasks.claimedBy(turns)).toMatchObject([leaseOf(present(running))]);
      expect(await store.tasks.claimedBy({ ...turns, lane: "callback" })).toEqual([]);
      expect(await store.tasks.claimedBy({ ...turns, serviceId: "executor-2" })).toEqual([]);
      expect(await store.tasks.claimedBy({ ...turns, turnTokens: [] })).toEqual([]);
    });

    test("outcomes are told of attempts that have ended", async () => {
      const corner = await openCorner(store);
      const [ended, handedBack, runs] = [
        await corner.start(),
        await corner.start(),
        await corner.start(),
      ];
      await store.tasks.turn([finishOf(ended), lost(handedBack)], null);
      const ids = [ended, handedBack, runs].map(({ attemptId }) => attemptId);
      const found = await store.attempts.outcomes(ids);
      expect([...found].toSorted(([a], [b]) => a - b)).toEqual([
        [ended.attemptId, "succeeded"],
        [handedBack.attemptId, "lost"],
      ]);
      expect(await store.attempts.outcomes([])).toEqual(new Map());
      await corner.claim(1);
    });

    test("renewing and reaping at once have one winner each time", async () => {
      const corner = await openCorner(store);
      await corner.add(...Array.from({ length: RACES }, () => ({})));
      const tasks = await corner.claim(RACES);
      await expire(...tasks);
      const outcomes = await Promise.all(
        tasks.map(async (task) => {
          const [renewed, reaped] = await Promise.all([
            store.tasks.renew([leaseOf(task)], 99_000),
            other.tasks.settle([lost(task)], true),
          ]);
          return renewed.length + reaped.length;
        }),
      );
      expect(outcomes).toEqual(tasks.map(() => 1));
    });

    test("reaping twice at once counts one death", async () => {
      const corner = await openCorner(store);
      const started = await corner.start();
      await expire(started);
      const both = await Promise.all(
        [store, other].map((each) => each.tasks.settle([lost(started)], true)),
      );
      expect(both.flat()).toEqual([leaseOf(started)]);
      expect((await corner.read(started.taskId)).task.deaths).toBe(1);
    });

    test("finishing twice at once is written once", async () => {
      const corner = await openCorner(store);
      await corner.add(...Array.from({ length: RACES }, () => ({})));
      const tasks = await corner.claim(RACES);
      const both = await Promise.all(
        [store, other].map((each) =>
          each.tasks.turn(
            tasks.map((task) => retryOf(task, 60_000)),
            null,
          ),
        ),
      );
      expect(both.flatMap(({ finished }) => finished)).toHaveLength(RACES);
      const charged = await Promise.all(tasks.map(({ taskId }) => corner.read(taskId)));
      expect(charged.map(({ task }) => task.charged)).toEqual(tasks.map(() => 1));
    });

    test("cancelling and claiming at once: cancelled and never started, or started and asked to stop", async () => {
      const corner = await openCorner(store);
      const ids = await corner.add(...Array.from({ length: RACES }, () => ({})));
      const claiming = claimAll(other, corner.job, 5);
      const cancels = await Promise.all(
        ids.map((id) =>
          store.tasks.cancel({ reference: { applicationId: corner.applicationId, id } }),
        ),
      );
      const claimed = new Set((await claiming).map(({ taskId }) => taskId));
      for (const [place, id] of ids.entries()) {
        expect(cancels[place]?.kind).toBe(claimed.has(id) ? "requested" : "cancelled");
      }
    });

    test("cancelling and finishing at once: exactly one terminal state, and the answers agree", async () => {
      const corner = await openCorner(store);
      await corner.add(...Array.from({ length: RACES }, () => ({})));
      const tasks = await corner.claim(RACES);
      const results = await Promise.all(
        tasks.map(async (task) => {
          const reference = { applicationId: corner.applicationId, id: task.taskId };
          const [cancel] = await Promise.all([
            store.tasks.cancel({ reference }),
            other.tasks.turn([retryOf(task, 60_000)], null),
          ]);
          return { kind: cancel.kind, status: (await corner.read(task.taskId)).task.status };
        }),
      );
      // Requested before the finish, or cancelled after it: never a task that is to run again.
      expect(results.every(({ status }) => status === "cancelled")).toBe(true);
      expect(results.every(({ kind }) => kind === "requested" || kind === "cancelled")).toBe(true);
    });
  });
}

async function claimAll(store: Store, job: string, slots: number): Promise<ClaimedTask[]> {
  const all: ClaimedTask[] = [];
  for (;;) {
    const { claimed, moreDue } = await store.tasks.turn([], claimOf(job, slots));
    all.push(...claimed);
    if (claimed.length === 0 && !moreDue) return all;
  }
}
