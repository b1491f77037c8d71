// What a job gets where a caller's PHP wrote [] for an empty object: the object that its schema asks for.
import { afterAll, expect } from "bun:test";
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { claimed } from "../support/claimed-task.ts";
import { describe, test } from "../support/long.ts";
import { finish, openLane } from "./attempts.ts";

const jobsDir = realpathSync(mkdtempSync(join(tmpdir(), "empty-arrays-")));
afterAll(() => rmSync(jobsDir, { recursive: true }));

writeFileSync(
  join(jobsDir, "told.ts"),
  `import { defineJob, Type } from "serendipity-job";
export default defineJob({
  name: "told",
  params: Type.Object({
    options: Type.Optional(Type.Object({})),
    list: Type.Optional(Type.Array(Type.Object({}))),
  }),
  run: (params) => params,
});
`,
);
writeFileSync(
  join(jobsDir, "free.ts"),
  `import { defineJob } from "serendipity-job";
export default defineJob({ name: "free", run: (params) => params });
`,
);
const lane = await openLane({ jobsDir });

describe("a job", () => {
  test.each([
    ["told", [], "{}"],
    ["told", { options: [] }, '{"options":{}}'],
    ["told", { list: [] }, '{"list":[]}'],
    ["told", { list: [[], {}], options: {} }, '{"list":[{},{}],"options":{}}'],
    ["free", [], "[]"],
    ["free", { options: [] }, '{"options":[]}'],
  ])("%s with %j gets %s", async (job, params, got) => {
    const { end } = await finish(lane.start(claimed(job, params)));
    expect(end).toMatchObject({ outcome: "succeeded", result: got });
  });

  test("whose params do not fit is told which name they had", async () => {
    const content = JSON.stringify({ class: "told", _params: { list: 5 } });
    const { end } = await finish(lane.start({ ...claimed("told", {}), content }));
    expect(end.error?.message).toContain("content._params.list must be array");
  });
});
