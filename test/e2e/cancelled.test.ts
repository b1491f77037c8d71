// A cancel of a running job ends as cancelled, whatever the job does about its signal.
import { expect, setDefaultTimeout } from "bun:test";
import { createClient, isEnded } from "../support/api-client.ts";
import { afterAll, beforeAll, describe, test } from "../support/long.ts";
import { TEST_LIMIT_MS } from "../support/patience.ts";
import { type Program, startProgram } from "../support/program.ts";

setDefaultTimeout(TEST_LIMIT_MS);

const JOBS_DIR = new URL("../kill/jobs", import.meta.url).pathname;
const reactions = [
  "throw in a listener of the signal",
  "reject at the signal",
  "throw after the signal",
  "process.exit at the signal",
  "process.abort at the signal",
] as const;
const cases = ["on-thread", "in-process"].flatMap((job) =>
  ["kill", "graceful"].flatMap((mode) =>
    [0, 3].map((retryTotal) => ({ job, mode, retryTotal }) as const),
  ),
);

function isDoing(vars: unknown, action: string): boolean {
  return (vars as { readonly doing?: string } | null)?.doing === action;
}

describe("a job that is cancelled", () => {
  let program: Program;
  beforeAll(async () => {
    program = await startProgram({ env: { JOBS_DIR, EXECUTOR_SLOTS: "5" } });
  });
  afterAll(() => program.stop());

  test.each(cases)("$job, mode $mode, $retryTotal retries", async ({ job, mode, retryTotal }) => {
    const client = await createClient(program.url, { retryTotal });
    const cancel = async (action: string) => {
      const id = await client.createJob(job, { do: action, path: "" });
      await client.until(id, ({ vars }) => isDoing(vars, action));
      const { code, msg } = await client.post("/task/cancel", { id, mode, waitMs: 20_000 });
      const { status, attempts, error } = await client.until(id, isEnded);
      const [first] = await client.attempts(id);
      const told = attempts.map(({ outcome, charged }) => ({ outcome, charged }));
      const { killed, reason, by } = first?.receipt ?? {};
      return { action, code, msg, status, told, hasError: error !== null, killed, reason, by };
    };
    const answers = await Promise.all(reactions.map(cancel));
    expect(answers).toEqual(
      reactions.map((action) => ({
        action,
        code: 0,
        msg: "Killed",
        status: "cancelled",
        told: [{ outcome: "cancelled", charged: false }],
        hasError: true,
        killed: true,
        reason: "cancelled",
        by: "application",
      })),
    );
  });
});
