// Suite: writing the ends of attempts, guarded by fences, without losing one to another.
import { describe, expect, test } from "bun:test";
import type { AttemptTrace } from "../../../src/core/attempt.ts";
import type { Finish, Store } from "../../../src/store/store.ts";
import { withMigratedStore } from "./migrated-store.ts";
import { claimOf, finishOf, leaseOf, openCorner, present, retryOf } from "./samples.ts";
import type { CreateTestDatabase, TestDatabase } from "./world.ts";

const trace: AttemptTrace = {
  view: {
    state: "waiting",
    frames: [{ file: "/jobs/a.ts", line: 7, function: "run" }],
    vars: { left: 3, text: "😀" },
    round: 4,
    elapsedMs: 12,
    progress: { percent: 50, text: "half" },
  },
  events: [{ seq: 1, at: 1, type: "log", data: ["hello"] }],
};

const refuseEnd = {
  sqlite: `CREATE TRIGGER refuse_end BEFORE INSERT ON attempt_ends WHEN NEW.result = 'poison'
    BEGIN SELECT RAISE(ABORT, 'refused by the test'); END`,
  mysql: `CREATE TRIGGER refuse_end BEFORE INSERT ON attempt_ends FOR EACH ROW
    IF NEW.result = 'poison' THEN SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'refused by the test'; END IF`,
} as const;

export function finishingSuite(createDatabase: CreateTestDatabase): void {
  describe("finishing", () => {
    let database: TestDatabase;
    let store: Store;

    withMigratedStore(createDatabase, (opened) => {
      ({ database, store } = opened);
    });

    const finish = (...finishes: Finish[]) => store.tasks.turn(finishes, null);

    test("a success is kept with its result, and the task is done", async () => {
      const corner = await openCorner(store);
      const started = await corner.start();
      const { finished } = await finish(
        finishOf(started, { end: { outcome: "succeeded", result: '{"a":1}' } }),
      );
      const { task, latest, nowMs } = await corner.read(started.taskId);
      expect(finished).toEqual([leaseOf(started)]);
      expect(task).toMatchObject({ status: "succeeded", charged: 1, deaths: 0, leaseUntil: null });
      expect(task.finishedAt).toBeLessThanOrEqual(nowMs);
      expect(task.finishedAt).toBeGreaterThanOrEqual(present(latest).startedAt);
      expect(latest).toMatchObject({
        outcome: "succeeded",
        charged: true,
        result: '{"a":1}',
        error: null,
      });
      expect(latest?.finishedAt).not.toBeNull();
    });

    test("error, receipt and trace are kept as they were given", async () => {
      const corner = await openCorner(store);
      const started = await corner.start();
      const error = {
        name: "TypeError",
        message: "nö 😀",
        stack: "at a",
        reason: "r",
        final: true,
      };
      const receipt = { killed: true, method: "thread", latencyMs: 12.5 } as const;
      const end = { outcome: "timed_out", error, receipt, trace } as const;
      await finish(finishOf(started, { end, next: { kind: "terminal", status: "failed" } }));
      const { latest } = await corner.read(started.taskId);
      expect(latest).toMatchObject({ outcome: "timed_out", error, receipt, result: null });
      expect(await store.attempts.trace(started.attemptId)).toEqual(trace);
    });

    test("an attempt that left nothing has no trace", async () => {
      const corner = await openCorner(store);
      const started = await corner.start();
      expect(await store.attempts.trace(started.attemptId)).toBeNull();
      await finish(retryOf(started, 0, { outcome: "interrupted" }));
      expect(await store.attempts.trace(started.attemptId)).toBeNull();
      expect((await corner.read(started.taskId)).latest?.outcome).toBe("interrupted");
    });

    test("a retry is due after its delay, on the database's clock", async () => {
      const corner = await openCorner(store);
      const started = await corner.start();
      const before = await store.now();
      await finish(retryOf(started, 90_000));
      const { task, nowMs } = await corner.read(started.taskId);
      expect(task).toMatchObject({ status: "pending", charged: 1, finishedAt: null });
      expect(task.runAt).toBeGreaterThanOrEqual(before + 90_000);
      expect(task.runAt).toBeLessThanOrEqual(nowMs + 90_000);
    });

    test("retries with delays of their own are due each in its time", async () => {
      const corner = await openCorner(store);
      await corner.add({}, {}, {});
      const started = await corner.claim(3);
      const before = await store.now();
      const delays = [1_500, 90_000, 7];
      await finish(...started.map((task, at) => retryOf(task, delays[at])));
      const after = await store.now();
      for (const [at, { taskId }] of started.entries()) {
        const { runAt } = (await corner.read(taskId)).task;
        expect(runAt).toBeGreaterThanOrEqual(before + (delays[at] ?? 0));
        expect(runAt).toBeLessThanOrEqual(after + (delays[at] ?? 0));
      }
    });

    test("a retry without delay may be claimed in the same turn", async () => {
      const corner = await openCorner(store);
      const started = await corner.start();
      const { finished, claimed } = await store.tasks.turn(
        [retryOf(started)],
        claimOf(corner.job, 1),
      );
      expect(finished).toEqual([leaseOf(started)]);
      expect(claimed).toMatchObject([{ taskId: started.taskId, fence: 2, attempt: 2, charged: 1 }]);
    });

    test("only charged attempts and deaths are counted", async () => {
      const corner = await openCorner(store);
      const first = await corner.start();
      await finish(retryOf(first, 0, { outcome: "interrupted" }), {
        ...retryOf(first),
        charged: true,
      });
      const [second] = await corner.claim(1);
      await finish({ ...retryOf(present(second), 0, { outcome: "lost" }), charged: false });
      expect((await corner.read(first.taskId)).task).toMatchObject({
        charged: 1,
        deaths: 1,
        attempt: 2,
      });
    });

    test("a stale fence changes nothing, and the valid ones beside it are written", async () => {
      const corner = await openCorner(store);
      const stale = await corner.start();
      await finish(retryOf(stale));
      const [current] = await corner.claim(1);
      const other = await corner.start();
      const before = await corner.read(stale.taskId);
      const { finished } = await finish(finishOf(stale), finishOf(other));
      expect(finished).toEqual([leaseOf(other)]);
      const after = await corner.read(stale.taskId);
      expect(after.task).toEqual(before.task);
      expect(after.latest).toMatchObject({ id: present(current).attemptId, outcome: null });
      expect((await store.attempts.list(stale.taskId, 9))[0]?.outcome).toBe("failed");
    });

    test("a finish for another attempt's task, or one that never was, is stale", async () => {
      const corner = await openCorner(store);
      const started = await corner.start();
      const { finished } = await finish(
        { ...finishOf(started), fence: started.fence + 1 },
        { ...finishOf(started), taskId: 999_999_999 },
      );
      expect(finished).toEqual([]);
      expect((await corner.read(started.taskId)).task.status).toBe("running");
    });

    test("a finish given twice in one turn is written once", async () => {
      const corner = await openCorner(store);
      const started = await corner.start();
      const { finished } = await finish(retryOf(started), retryOf(started));
      expect(finished).toEqual([leaseOf(started)]);
      expect((await corner.read(started.taskId)).task.charged).toBe(1);
    });

    test("a result of 1 MiB and 20 results of 256 KiB in one turn are kept whole", async () => {
      const corner = await openCorner(store);
      await corner.add(...Array.from({ length: 21 }, () => ({})));
      const started = await corner.claim(21);
      const resultOf = (place: number) =>
        JSON.stringify("ü'\"\\".repeat(place === 0 ? 200_000 : 50_000) + place);
      const finishes = started.map((task, place) =>
        finishOf(task, { end: { outcome: "succeeded", result: resultOf(place) } }),
      );
      expect((await finish(...finishes)).finished).toHaveLength(21);
      for (const place of [0, 1, 7, 20]) {
        const { latest } = await corner.read(present(started[place]).taskId);
        expect(latest?.result === resultOf(place)).toBe(true);
      }
    });

    test("a result no statement can carry fails its own attempt, with a reason, and no other", async () => {
      const corner = await openCorner(store);
      const [huge, fine] = [await corner.start(), await corner.start()];
      const result = JSON.stringify("x".repeat(20 * 1024 * 1024));
      const { finished } = await finish(
        finishOf(huge, { end: { outcome: "succeeded", result } }),
        finishOf(fine),
      );
      expect(finished).toHaveLength(2);
      const { task, latest } = await corner.read(huge.taskId);
      expect(task.status).toBe("failed");
      expect(latest).toMatchObject({ outcome: "failed", result: null });
      expect(latest?.error).toMatchObject({ reason: "end_not_stored", final: true });
      expect((await corner.read(fine.taskId)).task.status).toBe("succeeded");
    });

    test("an end the database refuses is replaced by a short error, the others are written, work is claimed", async () => {
      const corner = await openCorner(store);
      await database.query(refuseEnd[database.address.kind]);
      await corner.add(...Array.from({ length: 9 }, () => ({})));
      const started = await corner.claim(8);
      const finishes = started.map((task, place) =>
        finishOf(task, place === 3 ? { end: { outcome: "succeeded", result: "poison" } } : {}),
      );
      const result = await store.tasks.turn(finishes, claimOf(corner.job, 9));
      expect(result.finished.map(({ taskId }) => taskId)).toEqual(
        started.map(({ taskId }) => taskId),
      );
      expect(result.claimed).toHaveLength(1);
      const ends = await Promise.all(started.map(({ taskId }) => corner.read(taskId)));
      expect(ends.map(({ task }) => task.status)).toEqual(
        ends.map((_, place) => (place === 3 ? "failed" : "succeeded")),
      );
      expect(ends[3]?.latest?.error).toMatchObject({ reason: "end_not_stored" });
      expect(ends[3]?.latest?.error?.message).toContain("refused by the test");
    });

    test("an end that is refused in any form is left to its lease, and holds up no other", async () => {
      const corner = await openCorner(store);
      const [bad, fine] = [await corner.start(), await corner.start()];
      const outcome = "no such outcome" as "failed";
      const { finished } = await finish(finishOf(bad, { end: { outcome } }), finishOf(fine));
      expect(finished).toEqual([leaseOf(fine)]);
      expect((await corner.read(bad.taskId)).task).toMatchObject({ status: "running", fence: 1 });
    });

    test("a trace with a single event larger than 256 KiB packed keeps where the attempt was", async () => {
      const corner = await openCorner(store);
      const started = await corner.start();
      const noise = Array.from({ length: 40_000 }, (_, seq) => Math.sin(seq).toString(36)).join("");
      const events = [{ seq: 1, at: 1, type: "log", data: noise }] as const;
      await finish(
        finishOf(started, { end: { outcome: "succeeded", trace: { ...trace, events } } }),
      );
      expect(await store.attempts.trace(started.attemptId)).toEqual({ ...trace, events: [] });
    });

    test("attempts of all lives are listed, oldest first, the newest of them", async () => {
      const corner = await openCorner(store);
      const started = await corner.start();
      await finish(retryOf(started));
      const [second] = await corner.claim(1);
      await finish(finishOf(present(second), { next: { kind: "terminal", status: "failed" } }));
      const reference = { applicationId: corner.applicationId, id: started.taskId };
      await store.tasks.redeliver({ reference });
      await corner.claim(1);
      const list = await store.attempts.list(started.taskId, 9);
      expect(list.map(({ life, attempt, fence }) => [life, attempt, fence])).toEqual([
        [1, 1, 1],
        [1, 2, 2],
        [2, 1, 3],
      ]);
      const newest = await store.attempts.list(started.taskId, 2);
      expect(newest.map(({ fence }) => fence)).toEqual([2, 3]);
      expect((await corner.read(started.taskId)).latest?.fence).toBe(3);
    });

    test("settle writes as a turn does; with onlyExpired a living lease wins", async () => {
      const corner = await openCorner(store);
      const [alive, dead] = [await corner.start(), await corner.start()];
      await database.query(`UPDATE tasks SET lease_until = 1 WHERE id = ${dead.taskId}`);
      const lost = (task: typeof alive): Finish => ({
        ...retryOf(task, 0, { outcome: "lost" }),
        charged: false,
      });
      expect(await store.tasks.settle([lost(alive), lost(dead)], true)).toEqual([leaseOf(dead)]);
      expect((await corner.read(dead.taskId)).task).toMatchObject({ status: "pending", deaths: 1 });
      expect((await corner.read(alive.taskId)).task.status).toBe("running");
      expect(await store.tasks.settle([lost(alive)], false)).toEqual([leaseOf(alive)]);
      expect(await store.tasks.settle([], false)).toEqual([]);
    });
  });
}
