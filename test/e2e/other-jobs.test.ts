// The same data with another JOBS_DIR: tasks of a job that is gone are taken, and say what they wait for.
import { expect, setDefaultTimeout } from "bun:test";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { clientOf, createClient, isEnded } from "../support/api-client.ts";
import { afterEach, test } from "../support/long.ts";
import { TEST_LIMIT_MS } from "../support/patience.ts";
import { type Program, startProgram } from "../support/program.ts";

setDefaultTimeout(TEST_LIMIT_MS);

const JOBS_DIR = new URL("../jobs", import.meta.url).pathname;
const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function start(env: Readonly<Record<string, string>>): Promise<Program> {
  const program = await startProgram({ env });
  closing.push(() => program.stop());
  return program;
}

test("a task whose job no living executor has says so, and runs when one has it", async () => {
  const folder = await mkdtemp(join(tmpdir(), "other-jobs-"));
  closing.push(() => rm(folder, { recursive: true, force: true }));
  await writeFile(
    join(folder, "other.ts"),
    'import { defineJob } from "serendipity-job";\nexport default defineJob({ name: "other", run: () => 1 });\n',
  );
  const data = { DATA_DIR: join(folder, "data") };
  const before = await start({ ...data, JOBS_DIR });
  const client = await createClient(before.url);
  await client.until(await client.createJob("action", { do: "nothing" }), isEnded);
  await before.terminate();

  const other = await start({ ...data, JOBS_DIR: folder });
  const there = clientOf(other.url, client);
  const text = /^no living executor has the job 'action'; last seen on \S+ at \d{4}-/;
  const answer = await there.post<{ taskId: number }>("/task/create", {
    taskNo: "waits",
    name: "waits",
    content: { class: "action", params: { do: "return", value: 1 } },
    timeout: 5_000,
  });
  expect(answer).toMatchObject({ code: 0, data: { warnings: [expect.stringMatching(text)] } });
  const { taskId } = answer.data;
  expect(await there.detail(taskId)).toMatchObject({
    status: "queued",
    job: "action",
    params: { do: "return", value: 1 },
    waiting_because: { code: "no_executor", text: expect.stringMatching(text) },
  });
  expect(await other.log()).toContain("no living executor has the job 'action'");
  await other.terminate();

  const after = await start({ ...data, JOBS_DIR });
  const detail = await clientOf(after.url, client).until(taskId, isEnded);
  expect(detail).toMatchObject({ status: "succeeded", waiting_because: null });
});
