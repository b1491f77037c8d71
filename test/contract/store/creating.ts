// Suite: creating tasks, alone, in batches, repeatedly and at the same time.
import { beforeAll, describe, expect, test } from "bun:test";
import type { CreateResult, Store } from "../../../src/store/store.ts";
import { withMigratedStore } from "./migrated-store.ts";
import { type Corner, idOf, openCorner, present, sampleTask } from "./samples.ts";
import type { CreateTestDatabase, TestDatabase } from "./world.ts";

const OTHER_DIGEST = "1".repeat(64);

export function creatingSuite(createDatabase: CreateTestDatabase): void {
  describe("creating", () => {
    let database: TestDatabase;
    let store: Store;
    let corner: Corner;

    withMigratedStore(createDatabase, (opened) => {
      ({ database, store } = opened);
    });
    beforeAll(async () => {
      corner = await openCorner(store);
    });

    const create = (...changes: Parameters<Corner["add"]>) =>
      store.tasks.create(changes.map((change) => sampleTask(corner.applicationId, change)));

    test("what waits for a job is listed under its names, the first due first", async () => {
      const other = corner.applicationId;
      const later = (await store.now()) + 60_000;
      const task = (job: string, runAt: number | null) => sampleTask(other, { job, runAt });
      const [last, first, alias] = await store.tasks.create([
        task("waited-for", later + 1),
        task("waited-for", null),
        task("\\WaitedFor", later),
        task("another", null),
      ]);
      const waiting = await store.tasks.waitingFor(["waited-for", "\\WaitedFor"], 10);
      const ids = [first, alias, last].map((result) => idOf(present(result)));
      expect(waiting.map(({ id }) => id)).toEqual(ids);
      expect(waiting[0]).toEqual({ id: ids[0] ?? 0, taskNo: expect.any(String), content: "{}" });
      expect(await store.tasks.waitingFor(["waited-for"], 1)).toHaveLength(1);
      expect(await store.tasks.waitingFor(["nobody"], 10)).toEqual([]);
    });

    test("a task is read back as it was created, due now on the database's clock", async () => {
      const before = await store.now();
      const content = '{"class":"A","params":{"text":"𝄞 😀 \\u0000 \'\\"\\\\"}}';
      const sent = sampleTask(corner.applicationId, { job: "a-job", name: "名字 😀", content });
      const [result] = await store.tasks.create([sent]);
      const { task, latest } = await corner.read(idOf(present(result)));
      const { digest: _, runAt: __, webhookTag: ___, ...kept } = sent;
      expect(task).toMatchObject({ ...kept, status: "pending", fence: 0, life: 1, attempt: 0 });
      expect(task).toMatchObject({ charged: 0, deaths: 0, finishedAt: null, leaseUntil: null });
      expect(task.runAt).toBe(task.createdAt);
      expect(task.runAt).toBeGreaterThanOrEqual(before);
      expect(latest).toBeNull();
    });

    test("a task is due when it was asked to be", async () => {
      const runAt = (await store.now()) + 3_600_000;
      const [id] = await corner.add({ runAt });
      expect((await corner.read(present(id))).task.runAt).toBe(runAt);
    });

    test("content of 256 KiB in four-byte characters is kept to the last one", async () => {
      const content = JSON.stringify("😀".repeat(65_536 - 1));
      const [result] = await create({ content });
      expect((await corner.read(idOf(present(result)))).task.content).toBe(content);
    });

    test("1,000 tasks in one call get the ids of their own rows", async () => {
      const numbers = Array.from({ length: 1_000 }, (_, index) => `many-${(index * 7) % 1_000}`);
      const results = await create(...numbers.map((taskNo) => ({ taskNo })));
      expect(new Set(results.map(idOf)).size).toBe(1_000);
      const rows = await database.query(
        "SELECT id, task_no FROM tasks WHERE task_no LIKE 'many-%'",
      );
      const ids = new Map(rows.map((row) => [row["task_no"], row["id"]]));
      expect(results.map(idOf)).toEqual(numbers.map((taskNo) => Number(ids.get(taskNo))));
    });

    test("existing numbers among 1,000 new ones are told apart, with sameness by digest", async () => {
      const old = await create(
        ...Array.from({ length: 100 }, (_, i) => ({ taskNo: `mix-${i * 10}` })),
      );
      const results = await create(
        ...Array.from({ length: 1_000 }, (_, i) =>
          i % 20 === 0 ? { taskNo: `mix-${i}`, digest: OTHER_DIGEST } : { taskNo: `mix-${i}` },
        ),
      );
      for (const [i, result] of results.entries()) {
        const isOld = i % 10 === 0;
        expect(result.kind).toBe(isOld ? "existing" : "created");
        if (result.kind !== "existing") continue;
        expect(result.id).toBe(idOf(present(old[i / 10])));
        expect(result.same).toBe(i % 20 !== 0);
      }
      const rows = await database.query("SELECT id FROM tasks WHERE task_no LIKE 'mix-%'");
      expect(rows).toHaveLength(1_000);
    });

    test("of the same number twice in one call the second exists already", async () => {
      const [first, same, other] = await create(
        { taskNo: "twice" },
        { taskNo: "twice" },
        { taskNo: "twice", digest: OTHER_DIGEST },
      );
      const id = idOf(present(first));
      expect(first).toEqual({ kind: "created", id });
      expect(same).toEqual({ kind: "existing", id, same: true });
      expect(other).toEqual({ kind: "existing", id, same: false });
    });

    test("sameness goes by exact digests, and by the old ones for a row of an older program", async () => {
      const exactDigest = "2".repeat(64);
      const createExact = (change: object) => create({ taskNo: "exact", ...change });
      await createExact({ exactDigest });
      const kinds = async () => {
        const asked = [{ exactDigest }, {}, { digest: exactDigest }, { exactDigest: OTHER_DIGEST }];
        const results = await Promise.all(asked.map(createExact));
        return results.map(([result]) => result?.kind === "existing" && result.same);
      };
      expect(await kinds()).toEqual([true, false, true, false]);
      await database.query("UPDATE tasks SET exact_digest = NULL WHERE task_no = 'exact'");
      expect(await kinds()).toEqual([true, true, false, true]);
    });

    test("only the guilty rows of a batch are rejected", async () => {
      const results = await create(
        { taskNo: "good-1" },
        { taskNo: "bad", name: "n".repeat(65) },
        { taskNo: "good-2" },
        { taskNo: "bad" },
        { taskNo: "x".repeat(129) },
        { taskNo: "good-1" },
      );
      const kinds = results.map(({ kind }) => kind);
      expect(kinds).toEqual(["created", "rejected", "created", "created", "rejected", "existing"]);
    });

    test("a number that begins or ends with a space is rejected, so that none equals another by padding", async () => {
      const kinds = async (taskNo: string) => (await create({ taskNo })).map(({ kind }) => kind);
      expect(await kinds("padded")).toEqual(["created"]);
      expect(await kinds("padded ")).toEqual(["rejected"]);
      expect(await kinds(" padded")).toEqual(["rejected"]);
      expect(await kinds("")).toEqual(["rejected"]);
    });

    test("numbers differ by case, accents and characters outside the basic plane", async () => {
      const numbers = ["case", "Case", "cäse", "case😀", "case😁"];
      const results = await create(...numbers.map((taskNo) => ({ taskNo })));
      expect(results.map(({ kind }) => kind)).toEqual(numbers.map(() => "created"));
    });

    test("half characters, which no database can tell apart, do not end in an endless search", async () => {
      const results = await create({ taskNo: "half \ud800 a" }, { taskNo: "half \ud801 a" });
      expect(results.map(({ kind }) => kind)).toEqual(["created", "existing"]);
    });

    test("the same number in two applications is two tasks", async () => {
      const other = await openCorner(store);
      const [mine, theirs] = await store.tasks.create([
        sampleTask(corner.applicationId, { taskNo: "shared" }),
        sampleTask(other.applicationId, { taskNo: "shared" }),
      ]);
      expect([mine?.kind, theirs?.kind]).toEqual(["created", "created"]);
    });

    test("a task of no application is rejected", async () => {
      const [result] = await store.tasks.create([sampleTask(999_999_999)]);
      expect(result?.kind).toBe("rejected");
    });

    test("100 parallel creates of one number over several connections make one row", async () => {
      const stores = [store, database.open(), database.open()];
      const task = sampleTask(corner.applicationId, { taskNo: "parallel" });
      const calls = Array.from({ length: 100 }, (_, i) =>
        present(stores[i % stores.length]).tasks.create([task]),
      );
      const results = (await Promise.all(calls)).flat();
      expect(results.filter(({ kind }) => kind === "created")).toHaveLength(1);
      expect(new Set(results.map(idOf)).size).toBe(1);
      expect(results.every((result) => result.kind === "created" || isSame(result))).toBe(true);
    });

    test("overlapping batches from several connections create each number once", async () => {
      const stores = [database.open(), database.open(), database.open()];
      const batches = stores.map((each, shift) =>
        each.tasks.create(
          Array.from({ length: 300 }, (_, i) =>
            sampleTask(corner.applicationId, { taskNo: `race-${(i * 7 + shift * 50) % 400}` }),
          ),
        ),
      );
      const results = (await Promise.all(batches)).flat();
      const created = results.filter(({ kind }) => kind === "created").map(idOf);
      const rows = await database.query("SELECT id FROM tasks WHERE task_no LIKE 'race-%'");
      expect(rows.map((row) => Number(row["id"])).sort(byNumber)).toEqual(created.sort(byNumber));
    });
  });
}

function isSame(result: CreateResult): boolean {
  return result.kind === "existing" && result.same;
}

function byNumber(a: number, b: number): number {
  return a - b;
}
