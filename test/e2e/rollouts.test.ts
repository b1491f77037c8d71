// Rollouts that give a long job less time than it needs, through the whole program.
import { expect, setDefaultTimeout } from "bun:test";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { type ApiClient, clientOf, createClient } from "../support/api-client.ts";
import { eventually } from "../support/eventually.ts";
import { executorPid } from "../support/executor-pid.ts";
import { afterAll, beforeAll, test } from "../support/long.ts";
import { TEST_LIMIT_MS } from "../support/patience.ts";
import { type Program, startProgram } from "../support/program.ts";

const JOBS_DIR = new URL("../jobs", import.meta.url).pathname;
const ROLLOUTS = 3;

setDefaultTimeout(TEST_LIMIT_MS);

let program: Program;
let client: ApiClient;

beforeAll(async () => {
  const env = { JOBS_DIR, LEASE_MS: "4000", SHUTDOWN_TIMEOUT_MS: "60000" };
  program = await startProgram({ env });
  client = await createClient(program.url);
});
afterAll(() => program.stop());

function isTold(serviceId: string): boolean {
  const path = join(program.folder, "data", "serendipity.db");
  const database = new DatabaseSync(path, { readOnly: true });
  try {
    const row = database
      .prepare("select stopping_at from executors where service_id = ?")
      .get(serviceId);
    return row?.["stopping_at"] != null;
  } finally {
    database.close();
  }
}

/** SIGTERM, and SIGKILL to the whole tree as soon as the order was heard. */
async function rollOut(serviceId: string): Promise<void> {
  const pid = executorPid(program, serviceId);
  process.kill(program.pid, "SIGTERM");
  await eventually(() => isTold(serviceId) || undefined);
  process.kill(-pid, "SIGKILL");
  await program.kill9();
  await program.restart();
}

test("a long job that three rollouts kill is interrupted three times, and runs on", async () => {
  const id = await client.createJob(
    "action",
    { do: "sleep", value: 3_000_000 },
    { timeout: 3_600_000 },
  );
  for (let rollout = 1; rollout <= ROLLOUTS; rollout++) {
    const here = clientOf(program.url, client);
    const { service_id } = await here.until(
      id,
      ({ status, attempts }) => status === "running" && attempts.length >= rollout,
    );
    await rollOut(service_id ?? "");
  }
  const detail = await clientOf(program.url, client).until(
    id,
    ({ status, attempts }) =>
      status === "failed" || (status === "running" && attempts.length > ROLLOUTS),
  );
  expect(detail.status).toBe("running");
  // A machine that stands still for a lease interrupts it once more.
  const outcomes = detail.attempts.map(({ outcome }) => outcome);
  expect(outcomes.pop()).toBeNull();
  expect(new Set(outcomes)).toEqual(new Set(["interrupted"]));
});
