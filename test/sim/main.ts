// The simulated tier of the proof, as a command: many random runs on a real store beside a model of it.
import { parseArgs } from "node:util";
import {
  createMysqlTestDatabase,
  createSqliteTestDatabase,
  type TestDatabase,
} from "../contract/store/world.ts";
import { acquireServices } from "../support/services.ts";
import { simulate } from "./simulate.ts";

const { values } = parseArgs({
  options: {
    seed: { type: "string", default: String(Date.now() % 1_000_000_000) },
    runs: { type: "string", default: "1000" },
    /** Of a failure that was printed: replays it. */
    path: { type: "string" },
    seconds: { type: "string", default: "600" },
    on: { type: "string", default: "sqlite" },
  },
});
const database = await open(values.on);
try {
  process.exitCode = await main(database);
} finally {
  await database.drop();
}

async function open(on: string): Promise<TestDatabase> {
  if (on === "sqlite") return createSqliteTestDatabase();
  const { mysql } = await acquireServices();
  if (mysql === undefined) throw new Error("no MySQL server can be started or reached here");
  return createMysqlTestDatabase(mysql);
}

async function main(on: TestDatabase): Promise<number> {
  const { failure, ...totals } = await simulate(on, {
    seed: Number(values.seed),
    runs: Number(values.runs),
    seconds: Number(values.seconds),
    ...(values.path !== undefined && { path: values.path }),
  });
  if (failure !== null) console.log(failure);
  const violations = failure === null ? 0 : 1;
  console.log(JSON.stringify({ tier: "sim", on: values.on, ...totals, violations }));
  return violations;
}
