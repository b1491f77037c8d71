// Suite: executors, and the tasks that wait for the proof of an executor's death.
import { describe, expect, test } from "bun:test";
import { randomUUID } from "node:crypto";
import type { Store } from "../../../src/store/store.ts";
import { withMigratedStore } from "./migrated-store.ts";
import { type Corner, finishOf, leaseOf, openCorner, retryOf } from "./samples.ts";
import type { CreateTestDatabase, TestDatabase } from "./world.ts";

export function holdingSuite(createDatabase: CreateTestDatabase): void {
  describe("holding", () => {
    let database: TestDatabase;
    let store: Store;

    withMigratedStore(createDatabase, (opened) => {
      ({ database, store } = opened);
    });

    const finish = (...finishes: Parameters<Store["tasks"]["turn"]>[0]) =>
      store.tasks.turn(finishes, null);
    const register = (serviceId: string) =>
      store.executors.register({ serviceId, host: "here", pid: 1 });
    /** A task that is due but held by this executor. */
    const hold = async (corner: Corner, heldBy: string) => {
      const started = await corner.start();
      await finish({ ...retryOf(started), heldBy });
      return started;
    };
    const silence = (serviceId: string) =>
      database.query(
        `UPDATE executors SET seen_at = seen_at - 100000 WHERE service_id = '${serviceId}'`,
      );

    test("release frees a held task, with its own fence only", async () => {
      const corner = await openCorner(store);
      const started = await corner.start();
      await finish({ ...retryOf(started), heldBy: "executor-stuck" });
      await store.tasks.release({ ...leaseOf(started), fence: started.fence + 1 });
      expect(await corner.claim(1)).toEqual([]);
      await store.tasks.release(leaseOf(started));
      expect(await corner.claim(1)).toHaveLength(1);
    });

    test("who is declared dead proves the death of what it held, and after how long", async () => {
      const corner = await openCorner(store);
      const started = await corner.start();
      const receipt = { killed: false, method: "thread", latencyMs: 150, by: "deadline" } as const;
      const { end, ...rest } = retryOf(started);
      await finish({ ...rest, end: { ...end, receipt }, heldBy: "executor-stuck-3" });
      const reference = { applicationId: corner.applicationId, id: started.taskId };
      expect((await store.tasks.find(reference))?.task.heldBy).toBe("executor-stuck-3");
      await store.executors.declareDead("executor-stuck-3");
      const found = await store.tasks.find(reference);
      expect(found?.task.heldBy).toBeNull();
      const proof = found?.latest?.receipt;
      expect(proof).toMatchObject({ killed: true, method: "executor", by: "deadline" });
      expect(proof?.latencyMs).toBeGreaterThanOrEqual(150);
      await corner.claim(1);
    });

    test("what is proven dead late says so in its receipt", async () => {
      const corner = await openCorner(store);
      const started = await corner.start();
      await finish({ ...retryOf(started), heldBy: "executor-stuck-4" });
      const proof = { killed: true, method: "thread", latencyMs: 900 } as const;
      await store.tasks.release(leaseOf(started), proof);
      const reference = { applicationId: corner.applicationId, id: started.taskId };
      expect((await store.tasks.find(reference))?.latest?.receipt).toEqual(proof);
      await corner.claim(1);
    });

    test("a redelivered task is still held by what runs of its last life", async () => {
      const corner = await openCorner(store);
      const started = await corner.start();
      const next = { kind: "terminal", status: "failed" } as const;
      await finish(finishOf(started, { next, heldBy: "executor-stuck-2" }));
      await store.tasks.redeliver({
        reference: { applicationId: corner.applicationId, id: started.taskId },
      });
      expect(await corner.claim(1)).toEqual([]);
      await store.executors.declareDead("executor-stuck-2");
      expect(await corner.claim(1)).toMatchObject([
        { taskId: started.taskId, attempt: 1, fence: 2 },
      ]);
    });

    test("with force a succeeded one begins a new life too, and a running one never", async () => {
      const corner = await openCorner(store);
      const started = await corner.start();
      const reference = { applicationId: corner.applicationId, id: started.taskId };
      expect(await store.tasks.redeliver({ reference }, { isForced: true })).toEqual({
        kind: "refused",
        status: "running",
      });
      await finish({ ...finishOf(started), heldBy: "executor-forced" });
      expect(await store.tasks.redeliver({ reference }, { isForced: true })).toEqual({
        kind: "redelivered",
        lane: "job",
      });
      const { task } = await corner.read(started.taskId);
      expect(task).toMatchObject({ life: 2, charged: 0, finishedAt: null });
      expect(await corner.claim(1)).toEqual([]);
      await store.tasks.release(leaseOf(started));
      expect(await corner.claim(1)).toMatchObject([{ taskId: started.taskId, life: 2, fence: 2 }]);
    });

    test("signs tell when each executor and lane was heard, and how far its clock is off", async () => {
      const [heard, silent] = ["executor-signs-1", "executor-signs-2"];
      for (const serviceId of [heard, silent]) {
        await store.executors.register({ serviceId, host: "here", pid: 1 });
      }
      await store.executors.signLane(heard, "job");
      await store.executors.beat(heard, -7_000);
      await store.executors.beat(heard);
      const signs = new Map((await store.executors.signs()).map((sign) => [sign.serviceId, sign]));
      expect(signs.get(silent)).toMatchObject({
        laneAgoMs: { job: null, callback: null },
        clockAheadMs: null,
      });
      expect(signs.get(heard)).toMatchObject({
        laneAgoMs: { callback: null },
        clockAheadMs: -7_000,
      });
      expect(signs.get(heard)?.laneAgoMs.job).toBeGreaterThanOrEqual(0);
      expect(signs.get(heard)?.seenAgoMs).toBeGreaterThanOrEqual(0);
      await store.executors.declareDead(heard);
      expect((await store.executors.signs()).map(({ serviceId }) => serviceId)).not.toContain(
        heard,
      );
    });

    test("executors that were silent are declared dead, those that beat are not", async () => {
      const corner = await openCorner(store);
      const [silent, beating] = [randomUUID(), randomUUID()];
      await register(silent);
      await register(beating);
      const freed = await hold(corner, silent);
      await hold(corner, beating);
      await silence(silent);
      await silence(beating);
      await store.executors.beat(beating);
      expect(await store.executors.declareSilentDead(60_000)).toBe(1);
      expect(await store.executors.declareSilentDead(60_000)).toBe(0);
      expect(await corner.claim(9)).toMatchObject([{ taskId: freed.taskId }]);
    });

    test("what is held in the name of one already dead is set free by the next one that is declared dead", async () => {
      const corner = await openCorner(store);
      const gone = randomUUID();
      await register(gone);
      await store.executors.declareDead(gone);
      const late = await hold(corner, gone);
      expect(await corner.claim(1)).toEqual([]);
      expect(await store.executors.declareSilentDead(60_000)).toBe(0);
      expect(await corner.claim(1)).toMatchObject([{ taskId: late.taskId }]);
    });

    test("one that was taken for dead and beats again holds its tasks again", async () => {
      const corner = await openCorner(store);
      const frozen = randomUUID();
      await register(frozen);
      await store.executors.declareDead(frozen);
      await store.executors.beat(frozen);
      await hold(corner, frozen);
      await store.executors.declareSilentDead(60_000);
      expect(await corner.claim(1)).toEqual([]);
    });

    test("an executor may register again, and those that died long ago are forgotten", async () => {
      const [again, old] = [randomUUID(), randomUUID()];
      await register(again);
      await register(again);
      await register(old);
      await store.executors.declareDead(old);
      await database.query(
        `UPDATE executors SET buried_at = buried_at - 100000000 WHERE service_id = '${old}'`,
      );
      await store.executors.declareSilentDead(60_000);
      const rows = await database.query("SELECT service_id FROM executors");
      const ids = rows.map((row) => row["service_id"]);
      expect(ids.filter((id) => id === again)).toHaveLength(1);
      expect(ids).not.toContain(old);
    });
  });
}
