// What belonged to an attempt is neither read nor written for it once its job worker may serve another one.
import { expect, setDefaultTimeout, test } from "bun:test";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { runJob } from "../../src/job/attempt/run-job.ts";
import { createJobThread } from "../../src/job/host/job-thread.ts";
import { createPool, type PooledJob } from "../../src/job/host/pool.ts";
import { createAttemptScope } from "../../src/job/inside/attempt-scope.ts";
import { readEvents } from "../../src/job/wire/event-ring.ts";
import {
  clearAttempt,
  openSharedMemory,
  readText,
  SHARED_WORDS,
} from "../../src/job/wire/shared-memory.ts";
import { claimed, silent } from "../support/claimed-task.ts";
import { eventually } from "../support/eventually.ts";
import { patienceMs, TEST_LIMIT_MS } from "../support/patience.ts";

setDefaultTimeout(TEST_LIMIT_MS);

const jobsDir = fileURLToPath(new URL("../kill/jobs", import.meta.url));
const file = join(jobsDir, "on-thread.ts");
const job: PooledJob = { name: "on-thread", file, isolation: "warm", trace: "lean" };

test("a look that was on its way when the attempt ended shows nothing of the next one", async () => {
  const gate = Promise.withResolvers<void>();
  let pings = 0;
  const spawn = () => {
    const host = createJobThread({});
    return {
      ...host,
      ping: async (withinMs: number) => {
        pings += 1;
        if (pings === 1) await gate.promise;
        return host.ping(withinMs);
      },
    };
  };
  const pool = createPool({ jobs: [], slots: 1, spawn, logger: silent });
  const begin = (id: number, params: { readonly do: string; readonly path: string }) =>
    runJob(
      { pool, jobsDir, logger: silent },
      {
        task: claimed("on-thread", params),
        job,
        params: JSON.stringify(params),
        timeoutMs: 60_000,
        id,
      },
    );
  const sign = join(mkdtempSync(join(tmpdir(), "late-")), "sign");
  const former = begin(1, { do: "until a file is there", path: sign });
  await eventually(() => (former.eventsAfter?.(0).length ?? 0) > 1 || undefined, patienceMs());
  const look = former.inspect();
  writeFileSync(sign, "");
  await former.gone;
  const next = begin(2, { do: "a promise that never settles", path: "" });
  await eventually(async () => (await next.inspect()).vars ?? undefined, patienceMs());
  gate.resolve();
  expect((await look).vars).toEqual({ doing: "until a file is there" });
  next.stop("cancel");
  await next.gone;
  await pool.close();
});

test("what an attempt left behind writes nothing into the memory of the next one", async () => {
  const memory = openSharedMemory();
  const former = createAttemptScope(memory, /^$/);
  for (let at = 0; at < 5; at += 1) former.write("log", { message: "former" });
  const late = former.resume(Promise.resolve());
  former.end();
  clearAttempt(memory);
  const next = createAttemptScope(memory, /^$/);
  next.write("log", { message: "next" });
  next.show("vars", { of: "next" });
  former.write("fetch", { failed: "late" });
  former.show("vars", { of: "former" });
  await Promise.race([late, new Promise((resolve) => setImmediate(resolve))]);
  expect(readEvents(memory)).toMatchObject([{ seq: 1, data: { message: "next" } }]);
  expect(readText(memory.vars)).toBe('{"of":"next"}');
  expect(Atomics.load(memory.words, SHARED_WORDS.round)).toBe(0);
});
