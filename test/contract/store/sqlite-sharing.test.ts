// SQLite alone: several processes write to one file, nobody's event loop stands still, and failures are named.
import { expect, setDefaultTimeout } from "bun:test";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setImmediate as nextRound } from "node:timers/promises";
import { sql } from "kysely";
import { createSqliteDatabase } from "../../../src/store/sqlite/database.ts";
import { createSqliteStore } from "../../../src/store/sqlite/store.ts";
import type { Store } from "../../../src/store/store.ts";
import { afterEach, beforeEach, describe, test } from "../../support/long.ts";
import { TEST_LIMIT_MS } from "../../support/patience.ts";
import { rejectionOf } from "../../support/rejection.ts";
import { BUN, runScript } from "../../support/run-script.ts";
import { openCorner, present, sampleTask } from "./samples.ts";
import type { Assignment, WorkReport } from "./store-process.ts";

const PROCESSES = 3;
const TASKS = 60;

setDefaultTimeout(TEST_LIMIT_MS);

describe("store/sqlite, one file for several processes", () => {
  let folder: string;
  let path: string;
  let store: Store;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "serendipity-sqlite-"));
    path = join(folder, "store.sqlite");
    store = createSqliteStore({ path, deadlineMs: 60_000 });
  });
  afterEach(async () => {
    await store.close();
    await rm(folder, { recursive: true });
  });

  /** Takes the write lock, as another process would. */
  const lock = () => {
    const rival = new DatabaseSync(path, { timeout: 5_000 });
    rival.exec("BEGIN IMMEDIATE");
    return {
      release: () => {
        rival.exec("COMMIT");
        rival.close();
      },
    };
  };

  test("processes that write at once all get through", async () => {
    await store.migrate();
    const address = { kind: "sqlite", url: path } as const;
    const data: Assignment = { address, action: "work", tasks: TASKS };
    const script = new URL("./store-process.ts", import.meta.url);
    const spec = { command: BUN, script, data };
    const outputs = await Promise.all(Array.from({ length: PROCESSES }, () => runScript(spec)));
    const reports = outputs.map((output) => JSON.parse(output) as WorkReport);
    expect(reports).toEqual(reports.map(() => ({ finished: TASKS })));
  });

  test("while another process writes, the event loop goes on, reads are answered, and the write follows", async () => {
    await store.migrate();
    const corner = await openCorner(store);
    const rival = lock();
    let isWritten = false;
    const writing = store.tasks.create([sampleTask(corner.applicationId)]).then((results) => {
      isWritten = true;
      return results;
    });
    for (let round = 0; round < 50; round++) await nextRound();
    expect(await store.tasks.find({ applicationId: corner.applicationId, id: 1 })).toBeUndefined();
    expect(isWritten).toBe(false);
    rival.release();
    expect(present((await writing)[0]).kind).toBe("created");
  });

  test("a write that stays shut out past the deadline is unavailable, and works again afterwards", async () => {
    await store.migrate();
    await store.close();
    store = createSqliteStore({ path, deadlineMs: 300 });
    const corner = await openCorner(store);
    const rival = lock();
    const error = await rejectionOf(corner.add({}));
    expect(error).toMatchObject({
      code: "unavailable",
      message: expect.stringContaining("stayed busy"),
    });
    rival.release();
    expect(await corner.add({})).toHaveLength(1);
  });

  test("an idle turn and a turn without slots never ask for the write lock", async () => {
    await store.migrate();
    const corner = await openCorner(store);
    const rival = lock();
    expect(await corner.claim(5)).toEqual([]);
    rival.release();
    await corner.add({});
    const again = lock();
    expect(await corner.claim(0)).toEqual([]);
    again.release();
  });

  test("every commit is on disk before it is answered", async () => {
    const database = createSqliteDatabase({ path });
    const pragmas = await database.write(async ({ connection }) => [
      ...(await sql`pragma synchronous`.execute(connection)).rows,
      ...(await sql`pragma journal_mode`.execute(connection)).rows,
      ...(await sql`pragma busy_timeout`.execute(connection)).rows,
    ]);
    const full = 2;
    expect(pragmas).toMatchObject([{ synchronous: full }, { journal_mode: "wal" }, { timeout: 0 }]);
    await database.close();
  });

  test("a file that is no database is named", async () => {
    await writeFile(path, "this is no database, but long enough to be read as one".repeat(100));
    const error = await rejectionOf(store.migrate());
    expect(error).toMatchObject({
      code: "configuration",
      message: expect.stringContaining(path),
    });
  });

  test("a folder that cannot be made is named", async () => {
    await writeFile(join(folder, "file"), "");
    const shut = createSqliteStore({ path: join(folder, "file", "store.sqlite") });
    const error = await rejectionOf(shut.migrate());
    expect(error).toMatchObject({ code: "unavailable", message: expect.stringContaining("file") });
    await shut.close();
  });

  test("a closed store refuses, and closing again is no error", async () => {
    await store.migrate();
    await store.close();
    expect(await rejectionOf(store.now())).toMatchObject({ code: "unavailable" });
    await store.close();
  });
});
