// Suite: which executor has which job, which had it last, and when the catalogue forgets it.
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import type { JobDefinition } from "../../../src/core/job.ts";
import type { Store } from "../../../src/store/store.ts";
import { jobDefinition } from "../../support/use-case-world.ts";
import type { CreateTestDatabase, TestDatabase } from "./world.ts";

const SILENT_MS = 30_000;
const DAY_MS = 86_400_000;
const greet = jobDefinition({ name: "greet", aliases: ["\\Greet"] });
const report = jobDefinition({ name: "report", sourceHash: "01", redact: ["iban"] });

export function havingSuite(createDatabase: CreateTestDatabase): void {
  describe("having jobs", () => {
    let database: TestDatabase;
    let store: Store;

    beforeEach(async () => {
      database = await createDatabase();
      store = database.open();
      await store.migrate();
    });
    afterEach(() => database.drop());

    const start = async (serviceId: string, jobs: readonly JobDefinition[]) => {
      await store.executors.register({ serviceId, host: "host", pid: 1 });
      await store.catalogue.publish(serviceId, jobs);
    };
    const kindOf = async (job: string | null) =>
      (await store.executors.holders(job, SILENT_MS)).kind;
    const age = (serviceId: string, ms: number) =>
      database.query(
        `UPDATE executors SET seen_at = seen_at - ${ms} WHERE service_id = '${serviceId}'`,
      );

    test("a job is had by the living who published it, and callbacks by all who live", async () => {
      expect(await store.executors.holders("greet", SILENT_MS)).toEqual({
        kind: "none",
        last: null,
      });
      expect(await kindOf(null)).toBe("none");
      await start("executor-1", [greet, report]);
      await start("executor-2", [report]);
      expect(await kindOf("greet")).toBe("living");
      expect(await kindOf("other")).toBe("none");
      expect(await kindOf(null)).toBe("living");
      const rows = await database.query(
        "SELECT job, service_id, source_hash FROM executor_jobs ORDER BY job, service_id",
      );
      expect(rows.map((row) => ({ ...row }))).toEqual([
        { job: "greet", service_id: "executor-1", source_hash: "00" },
        { job: "report", service_id: "executor-1", source_hash: "01" },
        { job: "report", service_id: "executor-2", source_hash: "01" },
      ]);
    });

    test("the list has every job, each with the executors that have it and are not declared dead", async () => {
      await start("executor-1", [greet, report]);
      await start("executor-2", [report]);
      const list = async () =>
        new Map(
          (await store.catalogue.list()).map(({ job, executors }) => [job.name, [...executors]]),
        );
      const both = { greet: ["executor-1"], report: ["executor-1", "executor-2"] };
      expect(Object.fromEntries(await list())).toEqual(both);
      await store.executors.declareDead("executor-1");
      expect(Object.fromEntries(await list())).toEqual({ greet: [], report: ["executor-2"] });
      const entries = await store.catalogue.list();
      expect(entries.find(({ job }) => job.name === "greet")?.job).toEqual(greet);
      expect(entries[0]?.publishedAt).toBeWithin(
        (await store.now()) - 60_000,
        (await store.now()) + 1,
      );
    });

    test("what is published again replaces what was", async () => {
      await start("executor-1", [greet, report]);
      await store.catalogue.publish("executor-1", [report]);
      expect(await kindOf("greet")).toBe("none");
      await store.catalogue.publish("executor-1", []);
      expect(await kindOf("report")).toBe("none");
      expect((await store.catalogue.find("report"))?.redact).toEqual(["iban"]);
    });

    test("one that is silent or dead has nothing any more, and is who was seen last", async () => {
      await start("executor-1", [greet]);
      const before = await store.now();
      await start("executor-2", [greet, report]);
      await age("executor-1", SILENT_MS + 1_000);
      expect(await kindOf("greet")).toBe("living");
      await age("executor-2", SILENT_MS);
      for (const bury of [false, true]) {
        if (bury) await store.executors.declareDead("executor-1");
        if (bury) await store.executors.declareDead("executor-2");
        const { kind, last } = await store.executors.holders("greet", SILENT_MS);
        expect(kind).toBe("none");
        expect(last?.serviceId).toBe("executor-2");
        expect(last?.at).toBeGreaterThanOrEqual(before - SILENT_MS);
        expect(last?.at).toBeLessThanOrEqual((await store.now()) - SILENT_MS);
      }
      expect(await database.query("SELECT * FROM executor_jobs")).toEqual([]);
    });

    test("nobody is said to be missing while a living one tells nothing of its jobs", async () => {
      await start("executor-1", [report]);
      // As a program before this table does it, and one that has not published yet.
      await store.executors.register({ serviceId: "executor-older", host: "host", pid: 2 });
      expect(await kindOf("greet")).toBe("unknown");
      expect(await kindOf("report")).toBe("living");
      expect(await kindOf(null)).toBe("living");
      await store.executors.declareDead("executor-older");
      expect(await kindOf("greet")).toBe("none");
      await store.executors.beat("executor-older");
      expect(await kindOf("greet")).toBe("unknown");
    });

    test("a job of before this table was last seen on who published it", async () => {
      await store.catalogue.publish("executor-old", [greet]);
      await database.query("DELETE FROM executor_jobs");
      const { kind, last } = await store.executors.holders("greet", SILENT_MS);
      expect(kind).toBe("none");
      expect(last).toEqual({ serviceId: "executor-old", at: expect.any(Number) });
    });

    test("jobs that nobody has had for long are forgotten, no others, and none while one tells nothing", async () => {
      await start("executor-1", [greet]);
      await start("executor-2", [report]);
      await database.query(
        `UPDATE job_definitions SET published_at = published_at - ${3 * DAY_MS}`,
      );
      expect(await store.catalogue.forget(2 * DAY_MS)).toEqual([]);
      await age("executor-1", 3 * DAY_MS);
      await store.executors.declareDead("executor-1");
      expect(await store.catalogue.forget(4 * DAY_MS)).toEqual([]);
      await store.executors.register({ serviceId: "executor-older", host: "host", pid: 2 });
      expect(await store.catalogue.forget(2 * DAY_MS)).toEqual([]);
      await store.executors.declareDead("executor-older");
      expect(await store.catalogue.forget(2 * DAY_MS)).toEqual(["greet"]);
      expect(await store.catalogue.find("\\Greet")).toBeUndefined();
      expect(await store.catalogue.names()).toEqual(["report"]);
    });
  });
}
