// A few simulated runs on each database; `bun run test:sim` does many.
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import {
  type CreateTestDatabase,
  createMysqlTestDatabase,
  createSqliteTestDatabase,
  type TestDatabase,
} from "../contract/store/world.ts";
import { describeWith } from "../support/describe-with.ts";
import { TEST_LIMIT_MS } from "../support/patience.ts";
import { acquireServices } from "../support/services.ts";
import { simulate } from "./simulate.ts";

setDefaultTimeout(TEST_LIMIT_MS);
const services = await acquireServices();
const RUNS = 25;

describeWith(services, {
  title: "random steps on SQLite",
  needs: [],
  suite: () => suite(createSqliteTestDatabase),
});
describeWith(services, {
  title: "random steps on MySQL",
  needs: ["mysql"],
  suite: ({ mysql }) => suite(() => createMysqlTestDatabase(mysql)),
});

function suite(create: CreateTestDatabase): void {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await create();
  });
  afterAll(() => database.drop());

  test("two executors and their callers leave what the model says, whatever they do", async () => {
    const seed = Date.now() % 1_000_000_000;
    const { runs, failure } = await simulate(database, { seed, runs: RUNS, seconds: 600 });
    expect(failure).toBeNull();
    expect(runs).toBe(RUNS);
  });
}
