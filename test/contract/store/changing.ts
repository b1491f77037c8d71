// Suite: cancel and redeliver, nonces, and every move of a task from every state it can be in.
import { describe, expect, test } from "bun:test";
import { randomUUID } from "node:crypto";
import { statesAfter, type TaskStatus } from "../../../src/core/task.ts";
import type { SignedChange, Store } from "../../../src/store/store.ts";
import { withMigratedStore } from "./migrated-store.ts";
import { type Corner, finishOf, leaseOf, openCorner, retryOf } from "./samples.ts";
import type { CreateTestDatabase, TestDatabase } from "./world.ts";

type Prepare = (corner: Corner) => Promise<number>;
type Move = (corner: Corner, id: number) => Promise<unknown>;

export function changingSuite(createDatabase: CreateTestDatabase): void {
  describe("changing", () => {
    let database: TestDatabase;
    let store: Store;

    withMigratedStore(createDatabase, (opened) => {
      ({ database, store } = opened);
    });

    const changeOf = ({ applicationId }: Corner, id: number, more: Partial<SignedChange> = {}) => ({
      reference: { applicationId, id },
      ...more,
    });

    // Each row of the tables of moves below: how a task gets into a state.
    const states: Readonly<Record<string, Prepare>> = {
      pending: async ({ add }) => (await add({}))[0] ?? 0,
      "pending later": async ({ add }) =>
        (await add({ runAt: (await store.now()) + 60_000 }))[0] ?? 0,
      "pending again": async ({ start }) => {
        const task = await start();
        await store.tasks.turn([retryOf(task)], null);
        return task.taskId;
      },
      held: async ({ start }) => {
        const task = await start();
        await store.tasks.turn([{ ...retryOf(task), heldBy: randomUUID() }], null);
        return task.taskId;
      },
      running: async ({ start }) => (await start()).taskId,
      "running, cancel requested": async (corner) => {
        const { taskId } = await corner.start();
        await store.tasks.cancel(changeOf(corner, taskId));
        return taskId;
      },
      succeeded: async ({ start }) => {
        const task = await start();
        await store.tasks.turn([finishOf(task)], null);
        return task.taskId;
      },
      failed: async ({ start }) => {
        const task = await start();
        const next = { kind: "terminal", status: "failed" } as const;
        await store.tasks.turn([finishOf(task, { end: { outcome: "failed" }, next })], null);
        return task.taskId;
      },
      cancelled: async (corner) => {
        const [id = 0] = await corner.add({});
        await store.tasks.cancel(changeOf(corner, id));
        return id;
      },
    };

    const lease = async (corner: Corner, id: number) => {
      const { task, latest } = await corner.read(id);
      return { taskId: id, attemptId: latest?.id ?? 0, fence: task.fence };
    };
    const moves: Readonly<Record<string, Move>> = {
      claim: (corner) => corner.claim(1),
      succeed: async (corner, id) =>
        store.tasks.turn([{ ...retry, ...(await lease(corner, id)), ...success }], null),
      retry: async (corner, id) =>
        store.tasks.turn([{ ...retry, ...(await lease(corner, id)) }], null),
      settle: async (corner, id) =>
        store.tasks.settle([{ ...retry, ...(await lease(corner, id)) }], false),
      cancel: (corner, id) => store.tasks.cancel(changeOf(corner, id)),
      redeliver: (corner, id) => store.tasks.redeliver(changeOf(corner, id)),
      force: (corner, id) => store.tasks.redeliver(changeOf(corner, id), { isForced: true }),
      renew: async (corner, id) => store.tasks.renew([await lease(corner, id)], 60_000),
    };

    // biome-ignore format: a table is read by its columns
    const expected: Readonly<Record<string, Readonly<Record<string, TaskStatus>>>> = {
      //                             claim                 succeed                 retry                    settle                   cancel                   redeliver                force
      pending:                     { claim: "running",   succeed: "pending",   retry: "pending",   settle: "pending",   cancel: "cancelled", redeliver: "pending",   force: "pending",    renew: "pending" },
      "pending later":             { claim: "pending",   succeed: "pending",   retry: "pending",   settle: "pending",   cancel: "cancelled", redeliver: "pending",   force: "pending",    renew: "pending" },
      "pending again":             { claim: "running",   succeed: "pending",   retry: "pending",   settle: "pending",   cancel: "cancelled", redeliver: "pending",   force: "pending",    renew: "pending" },
      held:                        { claim: "pending",   succeed: "pending",   retry: "pending",   settle: "pending",   cancel: "cancelled", redeliver: "pending",   force: "pending",    renew: "pending" },
      running:                     { claim: "running",   succeed: "succeeded", retry: "pending",   settle: "pending",   cancel: "running",   redeliver: "running",   force: "running",    renew: "running" },
      "running, cancel requested": { claim: "running",   succeed: "succeeded", retry: "cancelled", settle: "cancelled", cancel: "running",   redeliver: "running",   force: "running",    renew: "running" },
      succeeded:                   { claim: "succeeded", succeed: "succeeded", retry: "succeeded", settle: "succeeded", cancel: "succeeded", redeliver: "succeeded", force: "pending",    renew: "succeeded" },
      failed:                      { claim: "failed",    succeed: "failed",    retry: "failed",    settle: "failed",    cancel: "failed",    redeliver: "pending",   force: "pending",    renew: "failed" },
      cancelled:                   { claim: "cancelled", succeed: "cancelled", retry: "cancelled", settle: "cancelled", cancel: "cancelled", redeliver: "pending",   force: "pending",    renew: "cancelled" },
    };

    for (const [state, row] of Object.entries(expected)) {
      for (const [move, status] of Object.entries(row)) {
        test(`${move} leaves a task that is ${state} ${status}`, async () => {
          const corner = await openCorner(store);
          const id = (await states[state]?.(corner)) ?? 0;
          const before = await corner.read(id);
          await moves[move]?.(corner, id);
          const after = await corner.read(id);
          expect(after.task.status).toBe(status);
          if (status === before.task.status) {
            // A lease may move and a cancel be noted; nothing else does.
            const same = { leaseUntil: null, cancelRequestedAt: null };
            expect({ ...after.task, ...same }).toEqual({ ...before.task, ...same });
            return;
          }
          expect(statesAfter(before.task.status, move === "force")).toContain(status);
        });
      }
    }

    test("cancel tells what became of each state", async () => {
      const kinds: Record<string, string> = {};
      for (const [state, prepare] of Object.entries(states)) {
        const corner = await openCorner(store);
        const result = await store.tasks.cancel(changeOf(corner, await prepare(corner)));
        kinds[state] = result.kind === "finished" ? `finished ${result.status}` : result.kind;
      }
      expect(kinds).toEqual({
        pending: "cancelled",
        "pending later": "cancelled",
        "pending again": "cancelled",
        held: "cancelled",
        running: "requested",
        "running, cancel requested": "requested",
        succeeded: "finished succeeded",
        failed: "finished failed",
        cancelled: "finished cancelled",
      });
    });

    test("redeliver tells what became of each state", async () => {
      const answers: Record<string, unknown> = {};
      for (const [state, prepare] of Object.entries(states)) {
        const corner = await openCorner(store);
        answers[state] = await store.tasks.redeliver(changeOf(corner, await prepare(corner)));
      }
      const due = { kind: "pending", lane: "job", dueInMs: 0 };
      const later = { ...due, dueInMs: expect.any(Number) };
      expect(answers).toEqual({
        pending: due,
        "pending later": later,
        "pending again": due,
        held: due,
        running: { kind: "refused", status: "running" },
        "running, cancel requested": { kind: "refused", status: "running" },
        succeeded: { kind: "refused", status: "succeeded" },
        failed: { kind: "redelivered", lane: "job" },
        cancelled: { kind: "redelivered", lane: "job" },
      });
    });

    test("a cancel of a running task is durable, names the attempt, and the first request counts", async () => {
      const corner = await openCorner(store);
      const started = await corner.start();
      const first = await store.tasks.cancel(changeOf(corner, started.taskId));
      if (first.kind !== "requested") throw new Error(`answered ${first.kind}`);
      expect(first.task.latest).toMatchObject({ id: started.attemptId, serviceId: "executor-1" });
      const { cancelRequestedAt } = (await corner.read(started.taskId)).task;
      expect(cancelRequestedAt).not.toBeNull();
      await store.tasks.cancel(changeOf(corner, started.taskId));
      expect((await corner.read(started.taskId)).task.cancelRequestedAt).toBe(cancelRequestedAt);
      const requested = { ...leaseOf(started), graceMs: 0 };
      expect(await store.tasks.cancelRequests([leaseOf(started)])).toEqual([requested]);
    });

    test("of several cancels the one that gives the least grace counts", async () => {
      const corner = await openCorner(store);
      const started = await corner.start();
      const change = changeOf(corner, started.taskId);
      const graceAfter = async (graceMs: number) => {
        await store.tasks.cancel(change, graceMs);
        return (await store.tasks.cancelRequests([leaseOf(started)]))[0]?.graceMs;
      };
      expect(await graceAfter(9_000)).toBe(9_000);
      expect(await graceAfter(20_000)).toBe(9_000);
      expect(await graceAfter(0)).toBe(0);
      expect(await graceAfter(5_000)).toBe(0);
      expect(await store.tasks.renew([leaseOf(started)], 9_000)).toMatchObject([{ graceMs: 0 }]);
    });

    test("a redelivered task begins a new life with its own budget, due now, with a fence of its own", async () => {
      const corner = await openCorner(store);
      const started = await corner.start();
      await store.tasks.cancel(changeOf(corner, started.taskId));
      await store.tasks.turn([retryOf(started, 600_000)], null);
      const before = await store.now();
      await store.tasks.redeliver(changeOf(corner, started.taskId));
      const { task } = await corner.read(started.taskId);
      expect(task).toMatchObject({ status: "pending", life: 2, attempt: 0, charged: 0, deaths: 0 });
      expect(task).toMatchObject({ fence: 1, cancelRequestedAt: null, finishedAt: null });
      expect(task.runAt).toBeGreaterThanOrEqual(before);
      expect((await store.tasks.turn([finishOf(started)], null)).finished).toEqual([]);
      expect(await corner.claim(1)).toMatchObject([{ fence: 2, attempt: 1, charged: 0 }]);
    });

    test("a task is found by its number too, and only by its own application", async () => {
      const [mine, theirs] = [await openCorner(store), await openCorner(store)];
      const [id = 0] = await mine.add({ taskNo: "by-number" });
      const byNumber = { applicationId: mine.applicationId, taskNo: "by-number" };
      expect((await store.tasks.find(byNumber))?.task.id).toBe(id);
      expect(
        await store.tasks.find({ ...byNumber, applicationId: theirs.applicationId }),
      ).toBeUndefined();
      expect(await store.tasks.cancel(changeOf(theirs, id))).toEqual({ kind: "unknown" });
      expect(await store.tasks.redeliver(changeOf(theirs, id))).toEqual({ kind: "unknown" });
      expect(await store.tasks.cancel({ reference: byNumber })).toEqual({ kind: "cancelled" });
    });

    test("a change that names an attempt means the running one only", async () => {
      const corner = await openCorner(store);
      const [pending = 0] = await corner.add({ runAt: (await store.now()) + 60_000 });
      const started = await corner.start();
      const cancel = (id: number, more: Partial<SignedChange>) =>
        store.tasks.cancel(changeOf(corner, id, more));
      const unknown = { kind: "unknown" } as const;
      expect(await cancel(pending, { coroutineId: 1 })).toEqual(unknown);
      expect(await cancel(started.taskId, { coroutineId: 2 })).toEqual(unknown);
      expect(await cancel(started.taskId, { serviceId: "executor-2" })).toEqual(unknown);
      expect(await cancel(started.taskId, { coroutineId: 1, serviceId: "no" })).toEqual(unknown);
      expect((await corner.read(started.taskId)).task.cancelRequestedAt).toBeNull();
      expect((await corner.read(pending)).task.status).toBe("pending");
      const meant = await cancel(started.taskId, { coroutineId: 1, serviceId: "executor-1" });
      expect(meant.kind).toBe("requested");
    });

    test("a nonce has one effect, and is used up whatever the answer was", async () => {
      const corner = await openCorner(store);
      const [first = 0, second = 0] = await corner.add({}, {});
      const cancel = (id: number, nonce: string, more: Partial<SignedChange> = {}) =>
        store.tasks.cancel(changeOf(corner, id, { nonce, ...more }));
      expect(await cancel(first, "nonce-1")).toEqual({ kind: "cancelled" });
      expect(await cancel(second, "nonce-1")).toEqual({ kind: "replayed" });
      expect((await corner.read(second)).task.status).toBe("pending");
      expect(await cancel(999_999_999, "nonce-2")).toEqual({ kind: "unknown" });
      expect(await cancel(second, "nonce-2")).toEqual({ kind: "replayed" });
      expect(await cancel(second, "nonce-3", { coroutineId: 7 })).toEqual({ kind: "unknown" });
      expect(await cancel(second, "nonce-3")).toEqual({ kind: "replayed" });
      expect((await cancel(first, "nonce-4")).kind).toBe("finished");
      const redeliver = changeOf(corner, first, { nonce: "nonce-4" });
      expect(await store.tasks.redeliver(redeliver)).toEqual({ kind: "replayed" });
      expect((await corner.read(first)).task.status).toBe("cancelled");
    });

    test("nonces differ by case, belong to one application, and may be used up alone", async () => {
      const [mine, theirs] = [await openCorner(store), await openCorner(store)];
      const use = ({ applicationId }: Corner, nonce: string) =>
        store.tasks.useNonce(applicationId, nonce);
      expect(await use(mine, "nonce")).toBe(true);
      expect(await use(mine, "nonce")).toBe(false);
      expect(await use(mine, "Nonce")).toBe(true);
      expect(await use(theirs, "nonce")).toBe(true);
      const [id = 0] = await mine.add({});
      expect(await store.tasks.cancel(changeOf(mine, id, { nonce: "nonce" }))).toEqual({
        kind: "replayed",
      });
    });

    test("old nonces are pruned, young ones stay", async () => {
      const corner = await openCorner(store);
      await store.tasks.useNonce(corner.applicationId, "old");
      await store.tasks.useNonce(corner.applicationId, "young");
      await database.query(
        `UPDATE used_nonces SET used_at = used_at - 700000 WHERE nonce = 'old' AND application_id = ${corner.applicationId}`,
      );
      expect(await store.tasks.pruneNonces(600_000)).toBe(1);
      expect(await store.tasks.useNonce(corner.applicationId, "old")).toBe(true);
      expect(await store.tasks.useNonce(corner.applicationId, "young")).toBe(false);
    });
  });
}

const retry = {
  end: { outcome: "failed" },
  charged: true,
  next: { kind: "pending", delayMs: 0 },
} as const;
const success = {
  end: { outcome: "succeeded", result: "1" },
  next: { kind: "terminal", status: "succeeded" },
} as const;
