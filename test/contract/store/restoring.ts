// Suite: what keeps an older copy of the database, put back in place, from giving ids out a second time.
import { describe, expect, test } from "bun:test";
import type { LiftedCounter } from "../../../src/core/lifted-counter.ts";
import type { Store } from "../../../src/store/store.ts";
import { rejectionOf } from "../../support/rejection.ts";
import { withMigratedStore } from "./migrated-store.ts";
import {
  claimOf,
  finishOf,
  idOf,
  present,
  retryOf,
  sampleApplication,
  sampleTask,
} from "./samples.ts";
import type { CreateTestDatabase, TestDatabase } from "./world.ts";

const MINUTE_MS = 60_000;

export function restoringSuite(createDatabase: CreateTestDatabase): void {
  describe("ids after a restored copy", () => {
    let database: TestDatabase;
    let store: Store;
    let applicationId = 0;

    withMigratedStore(createDatabase, async (opened) => {
      ({ database, store } = opened);
      applicationId = await store.applications.create(sampleApplication());
    });

    async function create(): Promise<number> {
      const [result] = await store.tasks.create([sampleTask(applicationId)]);
      return idOf(present(result));
    }

    async function claim(id: number) {
      const request = claimOf("", 100, { lane: "callback", jobs: null });
      const { claimed } = await store.tasks.turn([], request);
      return present(claimed.find(({ taskId }) => taskId === id));
    }

    const toOf = (counters: readonly LiftedCounter[], name: string) =>
      present(counters.find(({ table }) => table === name)).to;

    test("a callback's tag is with every attempt of its life, and a new life has another", async () => {
      const tag = "a".repeat(32);
      const [created] = await store.tasks.create([sampleTask(applicationId, { webhookTag: tag })]);
      const id = idOf(present(created));
      const first = await claim(id);
      await store.tasks.turn([retryOf(first)], null);
      const second = await claim(id);
      expect([first.webhookTag, second.webhookTag]).toEqual([tag, tag]);
      const failed = { kind: "terminal", status: "failed" } as const;
      await store.tasks.turn([finishOf(second, { next: failed })], null);
      const reference = { applicationId, id };
      await store.tasks.redeliver({ reference }, { webhookTag: "b".repeat(32) });
      expect(await claim(id)).toMatchObject({ life: 2, webhookTag: "b".repeat(32) });
    });

    test("a task that an older program created has none, also in its next life", async () => {
      const id = await create();
      await database.query(`UPDATE tasks SET webhook_tag = NULL WHERE id = ${id}`);
      const first = await claim(id);
      const failed = { kind: "terminal", status: "failed" } as const;
      await store.tasks.turn([finishOf(first, { next: failed })], null);
      await store.tasks.redeliver(
        { reference: { applicationId, id } },
        { webhookTag: "b".repeat(32) },
      );
      expect([first.webhookTag, (await claim(id)).webhookTag]).toEqual([null, null]);
    });

    test("ids count on far above, once however often it is asked for", async () => {
      const before = await create();
      const lifted = await store.liftCounters(1_000);
      expect(lifted.map(({ table }) => table)).toEqual(["applications", "tasks", "attempts"]);
      for (const { from, to } of lifted) expect(to).toBe(from + 1_000);
      expect(toOf(lifted, "tasks")).toBe(before + 1_001);

      const again = await store.liftCounters(1_000);
      expect(again).toEqual(lifted.map(({ table, to }) => ({ table, from: to, to })));
      const id = await create();
      expect(id).toBe(before + 1_001);
      const { attemptId } = await claim(id);
      expect(attemptId).toBeGreaterThanOrEqual(toOf(lifted, "attempts"));
      const application = await store.applications.create(sampleApplication());
      expect(application).toBe(toOf(lifted, "applications"));
    });

    test("they are lifted again for a larger margin, when one was given out, and after some time", async () => {
      const id = await create();
      expect(toOf(await store.liftCounters(10), "tasks")).toBe(id + 11);
      expect(toOf(await store.liftCounters(20), "tasks")).toBe(id + 31);
      expect(toOf(await store.liftCounters(20), "tasks")).toBe(id + 31);
      await liftAgedBy(10 * MINUTE_MS + 1);
      expect(toOf(await store.liftCounters(20), "tasks")).toBe(id + 51);
    });

    test("a margin that leaves no exact ids changes nothing", async () => {
      const id = await create();
      expect(await rejectionOf(store.liftCounters(Number.MAX_SAFE_INTEGER))).toMatchObject({
        code: "refused",
        message: expect.stringContaining("choose a smaller one"),
      });
      expect(await create()).toBe(id + 1);
    });

    test("an executor that lives forbids it; a copy's are dead", async () => {
      await store.executors.register({ serviceId: "alive", host: "h", pid: 1 });
      expect(await rejectionOf(store.liftCounters(10))).toMatchObject({
        code: "refused",
        message: expect.stringMatching(/executor alive .*stop every process/),
      });
      await store.liftCounters(10, true);
      await database.query(`UPDATE executors SET seen_at = seen_at - ${MINUTE_MS + 1}`);
      await store.liftCounters(10);
    });

    /** As if so much time had passed since the last lift. */
    async function liftAgedBy(ms: number): Promise<void> {
      const where = "WHERE name = 'lifted_counters'";
      const [row] = await database.query(`SELECT value FROM settings ${where}`);
      const lift = JSON.parse(String(row?.["value"])) as { at: number };
      const value = JSON.stringify({ ...lift, at: lift.at - ms });
      await database.query(`UPDATE settings SET value = '${value}' ${where}`);
    }
  });
}
