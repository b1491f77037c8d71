// A process of its own that migrates a database or writes tasks to it, for suites in which several do so at once.

import { createMysqlStore } from "../../../src/store/mysql/store.ts";
import { createSqliteStore } from "../../../src/store/sqlite/store.ts";
import type { Store } from "../../../src/store/store.ts";
import { createRecordedLog } from "../../support/recorded-log.ts";
import { claimOf, finishOf, sampleApplication, sampleTask } from "./samples.ts";
import type { TestDatabase } from "./world.ts";

export interface Assignment {
  readonly address: TestDatabase["address"];
  readonly action: "migrate" | "work";
  /** Tasks to create, claim and finish, each in a transaction of its own kind. */
  readonly tasks: number;
}

export interface WorkReport {
  readonly finished: number;
}

const { address, action, tasks } = JSON.parse(process.argv[2] ?? "") as Assignment;
const store = openStore();
await store.migrate();
await store.checkSchema();
const report = action === "work" ? await work(store) : {};
await store.close();
console.log(JSON.stringify(report));

function openStore(): Store {
  if (address.kind === "sqlite") return createSqliteStore({ path: address.url });
  return createMysqlStore({ url: address.url, poolSize: 2, logger: createRecordedLog() });
}

async function work(on: Store): Promise<WorkReport> {
  const applicationId = await on.applications.create(sampleApplication());
  const job = `job-of-${process.pid}`;
  let finished = 0;
  for (let i = 0; i < tasks; i++) {
    await on.tasks.create([sampleTask(applicationId, { job })]);
    const { claimed } = await on.tasks.turn([], claimOf(job, 1));
    const ended = await on.tasks.turn(
      claimed.map((task) => finishOf(task)),
      null,
    );
    finished += ended.finished.length;
  }
  return { finished };
}
