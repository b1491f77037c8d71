// Params that only the job worker can check: in the attempt's time, with the error of a refused create.
import { afterAll, expect } from "bun:test";
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadCatalogue } from "../../src/job/catalogue.ts";
import { createJobThread } from "../../src/job/host/job-thread.ts";
import { claimed } from "../support/claimed-task.ts";
import { eventually } from "../support/eventually.ts";
import { describe, test } from "../support/long.ts";
import { createRecordedLog } from "../support/recorded-log.ts";
import { finish, openLane } from "./attempts.ts";

const jobsDir = realpathSync(mkdtempSync(join(tmpdir(), "late-check-")));
afterAll(() => rmSync(jobsDir, { recursive: true }));

const PATTERN = "^(?=(a+)+b)";
for (const isolation of ["warm", "process"]) {
  writeFileSync(
    join(jobsDir, `${isolation}.ts`),
    `import { defineJob, Type } from "serendipity-job";
export default defineJob({
  name: "${isolation}",
  isolation: "${isolation}",
  params: Type.Object({ a: Type.String({ pattern: ${JSON.stringify(PATTERN)} }) }),
  run: ({ a }) => "ran with " + a,
});
`,
  );
}
const lane = await openLane({ jobsDir });

describe.each(["warm", "process"])(
  "a job whose pattern only its job worker can check: %s",
  (job) => {
    test("runs with params that fit", async () => {
      const { end } = await finish(lane.start(claimed(job, { a: "aab" })));
      expect(end).toMatchObject({ outcome: "succeeded", result: '"ran with aab"' });
    });

    test("fails for good with params that do not, as they would have been refused", async () => {
      const { end } = await finish(lane.start(claimed(job, { a: "xyz" })));
      expect(end).toMatchObject({
        outcome: "failed",
        error: {
          reason: "params_invalid",
          final: true,
          message: `the params do not fit the job: content.params.a must match pattern "${PATTERN}"`,
        },
      });
    });

    test("names the params as they were sent", async () => {
      const content = JSON.stringify({ class: job, _params: { a: "xyz" } });
      const { end } = await finish(lane.start({ ...claimed(job, {}), content }));
      expect(end.error?.message).toContain("content._params.a must match pattern");
    });

    test("is stopped at its deadline when the pattern never ends, and the next one runs", async () => {
      // One call of the engine must end first: on a busy machine that is not always proven in time.
      await eventually(async () => {
        const { end, receipt } = await finish(lane.start(claimed(job, { a: "a".repeat(60) }, 500)));
        expect(end.outcome).toBe("timed_out");
        return receipt.killed || undefined;
      });
      const next = await finish(lane.start(claimed(job, { a: "ab" })));
      expect(next.end.outcome).toBe("succeeded");
    });
  },
);

test("the catalogue has the job, and the log says which pattern waits for its start", async () => {
  const logger = createRecordedLog();
  const spawn = () => createJobThread({});
  const { jobs, badFiles } = await loadCatalogue({ jobsDir, spawn, logger });
  expect(badFiles).toEqual([]);
  expect(jobs.map(({ definition }) => definition.name).toSorted()).toEqual(["process", "warm"]);
  expect(logger.lines).toContainEqual({
    level: "warn",
    fields: { file: join(jobsDir, "warm.ts"), pattern: PATTERN },
    message: "a pattern is checked only when the job starts",
  });
});
