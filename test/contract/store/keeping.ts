// Suite: applications, the catalogue, settings, the clock, and the deletion of what is old.
import { describe, expect, test } from "bun:test";
import type { LiveView } from "../../../src/core/attempt.ts";
import type { JobDefinition } from "../../../src/core/job.ts";
import { linearRetry } from "../../../src/core/retry-policy.ts";
import type { Store } from "../../../src/store/store.ts";
import { rejectionOf } from "../../support/rejection.ts";
import { withMigratedStore } from "./migrated-store.ts";
import { finishOf, openCorner, retryOf, sampleApplication, sampleTask } from "./samples.ts";
import type { CreateTestDatabase, TestDatabase } from "./world.ts";

const sampleView: LiveView = {
  state: "running",
  frames: [{ file: "/jobs/a.ts", line: 3, function: "run" }],
  vars: { 名前: "帅的批爆" },
  round: 2,
  elapsedMs: 10.5,
  progress: { percent: 1 },
};

const DAY_MS = 24 * 60 * 60 * 1000;

export function keepingSuite(createDatabase: CreateTestDatabase): void {
  describe("keeping", () => {
    let database: TestDatabase;
    let store: Store;

    withMigratedStore(createDatabase, (opened) => {
      ({ database, store } = opened);
    });

    test("an application is found by its key as it was created", async () => {
      const application = sampleApplication({
        requireBodySignature: true,
        remark: "😀",
        successMatch: "2xx",
        callbackSecretSealed: null,
        retry: { ...linearRetry(1, 50), strategy: "exponential", jitter: true },
      });
      const before = await store.now();
      const id = await store.applications.create(application);
      const found = await store.applications.find(application.appKey);
      expect(found).toEqual({
        ...application,
        id,
        previous: null,
        createdAt: expect.any(Number),
      });
      expect(found?.createdAt).toBeGreaterThanOrEqual(before);
      expect(await store.applications.find(application.appKey.toUpperCase())).toBeUndefined();
    });

    test("a key that exists is refused", async () => {
      const application = sampleApplication();
      await store.applications.create(application);
      const error = await rejectionOf(store.applications.create(application));
      expect(error).toMatchObject({ code: "refused" });
    });

    test("the clock is the database's and goes on", async () => {
      const before = Date.now();
      const first = await store.now();
      const second = await store.now();
      expect(first).toBeGreaterThanOrEqual(before - 5_000);
      expect(first).toBeLessThanOrEqual(Date.now() + 5_000);
      expect(second).toBeGreaterThanOrEqual(first);
      await store.ping();
    });

    test("the first value put is kept, also when 20 put at once", async () => {
      const values = Array.from({ length: 20 }, (_, i) => `value-${i}`);
      const stores = [store, database.open()];
      const answers = await Promise.all(
        values.map((value, i) => (stores[i % 2] ?? store).putOnce("key", value)),
      );
      expect(new Set(answers).size).toBe(1);
      expect(values).toContain(answers[0] ?? "");
      expect(await store.putOnce("key", "late")).toBe(answers[0] ?? "");
    });

    test("a job is found by name first, then by alias, as it was published", async () => {
      const first = sampleJob("first", { aliases: ["\\Old\\First", "second"] });
      const second = sampleJob("second", { params: null, timeoutMs: null, retry: null });
      await store.catalogue.publish("executor-1", [second, first]);
      expect(await store.catalogue.find("first")).toEqual(first);
      expect(await store.catalogue.find("\\Old\\First")).toEqual(first);
      expect(await store.catalogue.find("second")).toEqual(second);
      expect(await store.catalogue.find("\\old\\first")).toBeUndefined();
      const names = await store.catalogue.names();
      expect(names).toEqual(expect.arrayContaining(["first", "second", "\\Old\\First"]));
    });

    test("the last publisher of a name wins, with its aliases; other jobs stay", async () => {
      await store.catalogue.publish("executor-1", [
        sampleJob("kept"),
        sampleJob("moved", { aliases: ["a", "b"] }),
      ]);
      const moved = sampleJob("moved", {
        aliases: ["b", "c"],
        sourceHash: "2".repeat(64),
        untraced: [{ file: "/jobs/lib/old.js", note: "it is CommonJS" }],
      });
      await store.catalogue.publish("executor-2", [moved]);
      expect(await store.catalogue.find("moved")).toEqual(moved);
      expect(await store.catalogue.find("c")).toEqual(moved);
      expect(await store.catalogue.find("a")).toBeUndefined();
      expect(await store.catalogue.find("kept")).toEqual(sampleJob("kept"));
    });

    test("many executors may publish the same jobs at once", async () => {
      const jobs = Array.from({ length: 10 }, (_, i) =>
        sampleJob(`same-${i}`, { aliases: [`alias-${i}`] }),
      );
      const stores = [store, database.open(), database.open()];
      await Promise.all(
        stores.flatMap((each, i) => [
          each.catalogue.publish(`executor-${i}`, jobs),
          each.catalogue.publish(`executor-${i}b`, jobs.toReversed()),
        ]),
      );
      for (const job of jobs) expect(await store.catalogue.find(job.aliases[0] ?? "")).toEqual(job);
    });

    test("finished tasks are pruned by age with their attempts, failed ones later, living ones never", async () => {
      const corner = await openCorner(store);
      const [succeeded, failed, young, pending] = [
        await corner.start(),
        await corner.start(),
        await corner.start(),
        await corner.start(),
      ];
      const next = { kind: "terminal", status: "failed" } as const;
      await store.tasks.turn(
        [
          finishOf(succeeded),
          finishOf(failed, {
            next,
            end: { outcome: "failed", error: { name: "E", message: "m" } },
          }),
          finishOf(young),
          retryOf(pending, 60_000),
        ],
        null,
      );
      const [cancelled = 0] = await corner.add({});
      await store.tasks.cancel({
        reference: { applicationId: corner.applicationId, id: cancelled },
      });
      await database.query(
        `UPDATE tasks SET finished_at = finished_at - ${8 * DAY_MS}
         WHERE id IN (${succeeded.taskId}, ${failed.taskId}, ${cancelled})`,
      );
      const seen = [succeeded, young].map(({ attemptId }) => ({ attemptId, view: sampleView }));
      await store.attempts.checkpoint(seen);
      const limits = { olderThanMs: 7 * DAY_MS, failedOlderThanMs: 30 * DAY_MS, limit: 1_000 };
      expect(await store.tasks.prune(limits)).toBe(2);
      expect(await store.attempts.lastCheckpoint(succeeded.attemptId)).toBeNull();
      expect(await store.attempts.lastCheckpoint(young.attemptId)).not.toBeNull();
      expect(await store.tasks.prune(limits)).toBe(0);
      const left = await database.query(
        `SELECT id FROM tasks WHERE application_id = ${corner.applicationId} ORDER BY id`,
      );
      expect(left.map((row) => row["id"])).toEqual([failed.taskId, young.taskId, pending.taskId]);
      expect(await store.attempts.list(succeeded.taskId, 9)).toEqual([]);
      const ends = await database.query("SELECT attempt_id FROM attempt_ends ORDER BY attempt_id");
      expect(ends.map((row) => row["attempt_id"])).toEqual(
        [failed, young, pending].map(({ attemptId }) => attemptId),
      );
      expect(await store.tasks.prune({ ...limits, failedOlderThanMs: 7 * DAY_MS })).toBe(1);
    });

    test("600 checkpoints at once are kept, the last one of each counts, and a huge one loses its vars, then frames", async () => {
      const first = 1_000_000;
      const ids = Array.from({ length: 600 }, (_, index) => first + index);
      const before = await store.now();
      await store.attempts.checkpoint([]);
      await store.attempts.checkpoint(ids.map((attemptId) => ({ attemptId, view: sampleView })));
      const later = { ...sampleView, round: 7 };
      const huge = { ...sampleView, vars: { text: "é".repeat(20_000) } };
      const frame = { file: `/jobs/${"x".repeat(60)}.ts`, line: 7, function: "dive" };
      const deep = {
        ...sampleView,
        frames: Array.from({ length: 300 }, () => frame),
        omitted: 700,
      };
      const excerpts = [{ file: "/jobs/a.ts", line: 3, first: 1, lines: ["a", "b", "c"] }];
      await store.attempts.checkpoint([
        { attemptId: first + 2, view: deep, excerpts },
        { attemptId: first + 1, view: huge, excerpts },
        { attemptId: first, view: later, excerpts },
      ]);
      const found = await store.attempts.lastCheckpoint(first);
      expect(found).toMatchObject({ view: later, excerpts });
      expect(found?.ageMs).toBeGreaterThanOrEqual(0);
      expect(found?.writtenAt).toBeGreaterThanOrEqual(before);
      expect(await store.attempts.lastCheckpoint(first + 1)).toMatchObject({
        view: { vars: null },
        excerpts: [],
      });
      const shallow = await store.attempts.lastCheckpoint(first + 2);
      expect(shallow?.view).toMatchObject({ frames: Array(40).fill(frame), omitted: 960 });
      expect(await store.attempts.lastCheckpoint(first + 599)).toMatchObject({ view: sampleView });
      expect(await store.attempts.lastCheckpoint(first + 600)).toBeNull();
      const all = await store.attempts.lastCheckpoints([...ids, first + 600]);
      expect([...all.keys()].sort((one, other) => one - other)).toEqual(ids);
      expect(all.get(first)).toMatchObject({ view: later });
    });

    test("pruning takes the oldest first and no more than asked; ids are never used again", async () => {
      const corner = await openCorner(store);
      const ids = await corner.add(
        ...Array.from({ length: 6 }, (_, i) => ({ taskNo: `prune-${i}` })),
      );
      for (const task of await corner.claim(6)) await store.tasks.turn([finishOf(task)], null);
      for (const [i, id] of ids.entries()) {
        await database.query(`UPDATE tasks SET finished_at = ${1_000 - i} WHERE id = ${id}`);
      }
      const limits = { olderThanMs: DAY_MS, failedOlderThanMs: DAY_MS, limit: 4 };
      expect(await store.tasks.prune(limits)).toBe(4);
      const rows = await database.query(
        "SELECT task_no FROM tasks WHERE task_no LIKE 'prune-%' ORDER BY id",
      );
      expect(rows.map((row) => row["task_no"])).toEqual(["prune-0", "prune-1"]);
      expect(await store.tasks.prune(limits)).toBe(2);
      const again = await store.tasks.create([
        sampleTask(corner.applicationId, { taskNo: "prune-5" }),
      ]);
      expect(again[0]?.kind).toBe("created");
      expect(again[0]?.kind === "created" && again[0].id > Math.max(...ids)).toBe(true);
    });
  });
}

function sampleJob(name: string, change: Partial<JobDefinition> = {}): JobDefinition {
  return {
    name,
    aliases: [],
    params: { type: "object", properties: { text: { type: "string", default: "😀" } } },
    timeoutMs: 1_000,
    retry: linearRetry(0, 10),
    isolation: "warm",
    sourceHash: "1".repeat(64),
    untraced: [],
    ...change,
  };
}
