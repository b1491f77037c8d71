// An executor over EXECUTOR_RSS_MB ends the attempt that fills its memory, whatever else runs and since when.
import { expect, setDefaultTimeout } from "bun:test";
import { type ApiClient, createClient, isEnded } from "../support/api-client.ts";
import { afterAll, beforeAll, test } from "../support/long.ts";
import { TEST_LIMIT_MS } from "../support/patience.ts";
import { type Program, startProgram } from "../support/program.ts";
import { hasBegun } from "./program.ts";

setDefaultTimeout(TEST_LIMIT_MS);

const JOBS_DIR = new URL("./jobs", import.meta.url).pathname;
let program: Program;
let client: ApiClient;

beforeAll(async () => {
  program = await startProgram({
    env: { JOBS_DIR, EXECUTOR_RSS_MB: "900", EXECUTOR_SLOTS: "4" },
  });
  client = await createClient(program.url);
});

afterAll(async () => {
  await program.stop();
});

/** Its code has begun to run when this settles. */
async function begin(action: string): Promise<number> {
  const id = await client.createJob("on-thread", { do: action });
  await client.until(id, hasBegun);
  return id;
}

const pairs = [
  ["allocation without end", "an ignored signal"],
  ["allocation without end", "JSON.parse in a loop"],
  ["allocation with pauses", "for(;;)"],
  ["allocation with pauses", "JSON.parse in a loop"],
] as const;

test.each(pairs)("it is %s beside an older and a younger %s", async (bad, good) => {
  const older = await begin(good);
  const id = await client.createJob("on-thread", { do: bad });
  await client.until(id, (detail) => hasBegun(detail) || isEnded(detail));
  const younger = await client.createJob("on-thread", { do: good });
  const { attempts, error } = await client.until(id, isEnded);
  expect(attempts).toMatchObject([{ outcome: "crashed", charged: true }]);
  expect(error?.message).toContain("EXECUTOR_RSS_MB allows 900; ");
  for (const beside of [older, younger]) {
    expect((await client.detail(beside)).attempts).toMatchObject([{ outcome: null }]);
    await client.post("/task/cancel", { id: beside });
  }
});
